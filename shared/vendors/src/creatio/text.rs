//! A rep's rich text as the plain text that a customer's messenger shows.

use std::panic::catch_unwind;

use html2text::config::with_decorator;
use html2text::render::TextDecorator;

use super::bounded::{bounded, words_alone};

/// Wide enough that no line of a message is wrapped: the messenger does that.
const WIDTH: usize = 20_000;

/// Tags by which text that was not declared to be HTML shows that it is.
const TELLING: [&str; 14] = [
    "<p>", "<p ", "</p>", "<br", "<div", "</div>", "<span", "</span>", "<html", "<body", "<table", "</a>",
    "</b>", "</li>",
];

/// Whether a text that was not declared to be HTML is HTML all the same, as rich-text columns are.
pub(super) fn looks_like_html(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    TELLING.iter().any(|tag| lower.contains(tag))
}

/// The words of an HTML text, with links written out. `None` when there are none.
pub(super) fn from_html(html: &str) -> Option<String> {
    drawn_by(draw, &bounded(html))
}

fn draw(html: &str) -> Option<String> {
    let config = with_decorator(Plain::default()).raw_mode(true).allow_width_overflow().no_link_wrapping();
    config.string_from_read(html.as_bytes(), WIDTH).ok()
}

/// What the library makes of it. Should it fail or panic, the words without any form: a reply must not be lost, and
/// the same HTML would come again.
fn drawn_by(draw: fn(&str) -> Option<String>, html: &str) -> Option<String> {
    let drawn = catch_unwind(|| draw(html)).ok().flatten();
    plain(&drawn.unwrap_or_else(|| words_alone(html)))
}

/// The text without blank margins, and with at most one empty line in a row. `None` when nothing is left.
pub(super) fn plain(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut blank_lines = 0;
    for line in text.lines() {
        let line = tidy(line);
        if line.is_empty() {
            blank_lines += 1;
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank_lines > 0 { "\n\n" } else { "\n" });
        }
        out.push_str(&line);
        blank_lines = 0;
    }
    (!out.is_empty()).then_some(out)
}

/// One line without trailing blanks, with ordinary blanks for unbreakable ones, a drawn rule cut short, and a link
/// whose text is its address written once.
fn tidy(line: &str) -> String {
    let line = line.replace('\u{a0}', " ");
    let line = line.trim_end();
    if line.chars().count() > 20 && line.chars().all(|c| c == '─') {
        return "---".to_owned();
    }
    let mut kept = String::new();
    let mut last = "";
    for (at, word) in line.split(' ').enumerate() {
        let target = word.strip_prefix('(').and_then(|word| word.rsplit_once(')'));
        match target {
            // What follows the bracket, such as a full stop, belongs to the sentence.
            Some((target, rest)) if is_same_link(target, last) => kept.push_str(rest),
            _ => {
                kept.push_str(if at > 0 { " " } else { "" });
                kept.push_str(word);
            }
        }
        last = word;
    }
    kept
}

fn is_same_link(target: &str, shown: &str) -> bool {
    let bare = |link: &str| {
        let link = ["https://", "http://", "mailto:", "tel:"]
            .iter()
            .find_map(|s| link.strip_prefix(s))
            .unwrap_or(link);
        link.trim_end_matches('/').to_owned()
    };
    bare(target) == bare(shown)
}

/// Writes only words: no marks for bold or headings, a link as `text (address)`.
#[derive(Debug, Clone, Default)]
struct Plain {
    open_links: Vec<String>,
}

impl TextDecorator for Plain {
    type Annotation = ();

    fn decorate_link_start(&mut self, url: &str) -> (String, ()) {
        self.open_links.push(url.to_owned());
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        let url = self.open_links.pop().unwrap_or_default();
        // Anything else (`javascript:`, `#top`, a path within the CRM) means nothing to the customer.
        let useful = ["https://", "http://", "mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme));
        if useful { format!(" ({url})") } else { String::new() }
    }

    fn decorate_em_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, ()) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) {}

    fn decorate_preformat_cont(&self) {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, ()) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, i: i64) -> String {
        format!("{i}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(html: &str) -> String {
        from_html(html).unwrap_or_default()
    }

    #[test]
    fn paragraphs_lists_and_links_become_words() {
        let html = "<html><style>p{color:red}</style><body><h2>Refund</h2><p>Hello&nbsp;Jo,<br/>it is <b>done</b>.\
                    </p><ul><li>three days</li><li>or five</li></ul><p>See <a href='https://acme.example/r'>your \
                    refund</a> or <a href=\"https://acme.example/\">acme.example</a>.</p></body></html>";
        assert_eq!(
            shown(html),
            "Refund\n\nHello Jo,\nit is done.\n- three days\n- or five\n\nSee your refund \
             (https://acme.example/r) or acme.example."
        );
    }

    #[test]
    fn scripts_and_dangerous_links_leave_nothing() {
        assert_eq!(shown("<script>alert(1)</script><a href='javascript:x()'>press</a>"), "press");
        assert_eq!(from_html("<p>&nbsp;</p><img src='https://acme.example/pixel.png'>"), None);
    }

    #[test]
    fn a_layout_table_and_a_rule_draw_no_lines() {
        let text = shown("<table><tr><td>one</td><td>two</td></tr></table><hr><p>three</p>");
        assert!(text.contains("one") && text.contains("two") && text.contains("three"), "{text}");
        assert!(text.len() < 40, "{text}");
    }

    #[test]
    fn plain_words_with_an_angle_bracket_are_not_html() {
        assert!(!looks_like_html("if 3 < 5 and you press <enter>"));
        assert!(looks_like_html("<P>Hello</P>"));
        assert!(looks_like_html("Hello<br/>there"));
    }

    #[test]
    fn deep_nesting_and_half_a_page_do_no_harm() {
        assert_eq!(shown(&format!("{}deep", "<div>".repeat(1_000))), "deep");
        assert_eq!(shown(&format!("<p>first</p>{}deep", "<div>".repeat(50_000))), "first");
        assert_eq!(shown("<p>half a pa"), "half a pa");
        assert!(from_html(&format!("<p>{}</p>", "ü".repeat(300_000))).is_some());
    }

    #[test]
    fn hostile_html_costs_little_and_keeps_its_words() {
        let lines = "x\n".repeat(100_000);
        let quoted = shown(&format!("{}<pre>{lines}</pre>", "<blockquote>".repeat(1_900)));
        assert!(quoted.lines().count() <= 2_000 && quoted.ends_with('x'), "{} bytes", quoted.len());
        let tables = shown(&"<table><tr><td>x".repeat(20_000));
        assert!(tables.contains('x'));
        let lists = shown(&"<ul><li>x".repeat(50_000));
        assert!(lists.starts_with("- x") || lists.starts_with("- - x"), "{}", &lists[..40]);
        // Elements that a parser opens again in every paragraph.
        assert!(shown(&"<p><b><i><font size=1>x".repeat(20_000)).starts_with('x'));
    }

    #[test]
    fn numbers_in_attributes_are_not_believed() {
        assert_eq!(shown("<ol start=\"9223372036854775807\"><li>a<li>b"), "1. a\n2. b");
        for html in [
            "<td colspan=\"18446744073709551615\">x<td colspan=5>",
            "<table><tr><td colspan=\"18446744073709551615\">x<td colspan=5 rowspan=9999999999 width=99999999>",
        ] {
            assert_eq!(shown(html).trim(), "x");
        }
    }

    #[test]
    fn a_panic_of_the_library_costs_only_the_form() {
        let html = bounded("<p>one</p><p>two &amp; <b>three</b>");
        let panics: fn(&str) -> Option<String> = |_| panic!("on purpose");
        for draw in [panics, |_| None] {
            assert_eq!(drawn_by(draw, &html).as_deref(), Some("one\n\ntwo & three"));
        }
    }
}
