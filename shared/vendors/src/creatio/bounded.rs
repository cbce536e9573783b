//! HTML of any kind as HTML that is cheap to draw: well nested, not deep, not long, and with no attribute that counts.
//!
//! Laying out takes time that grows with depth times lines, and numbers in attributes are believed. One walk over the
//! text leaves only tags that change what a reader sees.

/// The most bytes that are looked at: pictures written into a mail come before its words.
const MOST_READ: usize = 1024 * 1024;
/// The most bytes that are left. A reply is a few kilobytes; the rest of a longer one is quoted history.
const MOST_LEFT: usize = 64 * 1024;
/// The most elements within each other. What lies deeper keeps its words and loses its indentation.
const DEEPEST: usize = 50;
/// The most places at which a new line may begin.
const MOST_LINES: usize = 2_000;
/// The longest address of a link; a longer one is left out.
const LONGEST_LINK: usize = 2_000;

/// Elements that are kept and may hold others.
const KEPT: [&str; 25] = [
    "a",
    "blockquote",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strike",
    "sup",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];
/// Elements that are no more to a reader than a `div`.
const DIVISIONS: [&str; 16] = [
    "address",
    "article",
    "aside",
    "caption",
    "center",
    "details",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "main",
    "nav",
    "section",
    "summary",
];
/// Those of them that stand within a line.
const INLINE: [&str; 5] = ["a", "del", "s", "strike", "sup"];
/// Elements whose content is not for readers.
const SILENT: [&str; 12] = [
    "script", "style", "title", "iframe", "noembed", "noframes", "template", "textarea", "svg", "math",
    "object", "select",
];

/// The HTML within these bounds.
pub(super) fn bounded(html: &str) -> String {
    let html = html.get(..html.floor_char_boundary(MOST_READ)).unwrap_or_default();
    let mut walk = Walk { rest: html, lower: html.to_ascii_lowercase(), ..Walk::default() };
    while walk.out.len() < MOST_LEFT && walk.lines < MOST_LINES && walk.step().is_some() {}
    walk.close_to(0);
    walk.out
}

/// The words of such HTML without its tags, for when it cannot be drawn.
pub(super) fn words_alone(html: &str) -> String {
    let mut words = String::new();
    for piece in html.split('<') {
        // Every `<` that is left begins a tag, and every tag ends.
        let (tag, text) = piece.split_once('>').unwrap_or(("", piece));
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        if !tag.is_empty() && !INLINE.contains(&name) {
            words.push('\n');
        }
        words.push_str(text);
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .iter()
        .fold(words, |words, (entity, sign)| words.replace(entity, sign))
}

#[derive(Default)]
struct Walk<'a> {
    rest: &'a str,
    /// The whole in small letters, to find ends of elements by.
    lower: String,
    out: String,
    open: Vec<&'static str>,
    lines: usize,
}

/// One tag as it stands in the text.
struct Tag<'a> {
    closes: bool,
    name: String,
    link: Option<&'a str>,
    instead: Option<&'a str>,
}

impl<'a> Walk<'a> {
    /// Takes text up to a tag, and the tag. `None` at the end, or where the rest is one unfinished thing.
    fn step(&mut self) -> Option<()> {
        if self.rest.is_empty() {
            return None;
        }
        let (text, from) = self.rest.split_at(self.rest.find('<').unwrap_or(self.rest.len()));
        self.rest = from;
        self.text(text);
        let mut after = from.chars().skip(1);
        match (after.next(), after.next()) {
            (Some('/'), Some(c)) if c.is_ascii_alphabetic() => self.tag(),
            (Some(c), _) if c.is_ascii_alphabetic() => self.tag(),
            (Some('!'), _) if from.starts_with("<!--") => self.skip_past("-->", 2),
            (Some('!' | '?' | '/'), _) => self.skip_past(">", 2),
            _ if from.is_empty() => None,
            _ => {
                self.out.push_str("&lt;");
                self.skip_past("<", 0)
            }
        }
    }

    fn skip_past(&mut self, end: &str, from: usize) -> Option<()> {
        let (_, after) = self.rest.get(from..)?.split_once(end)?;
        self.rest = after;
        Some(())
    }

    /// Line ends count only where they are shown.
    fn text(&mut self, text: &str) {
        let preformatted = self.open.contains(&"pre");
        for c in text.chars() {
            if self.out.len() >= MOST_LEFT || self.lines >= MOST_LINES {
                return;
            }
            self.lines += usize::from(preformatted && c == '\n');
            self.out.push(c);
        }
    }

    fn tag(&mut self) -> Option<()> {
        let (tag, after) = read_tag(self.rest)?;
        self.rest = after;
        let name = tag.name.as_str();
        let kept = KEPT.into_iter().find(|kept| *kept == name);
        let kept = kept.or_else(|| DIVISIONS.contains(&name).then_some("div"));
        match (kept, tag.closes) {
            (Some(name), true) => {
                if let Some(at) = self.open.iter().rposition(|open| *open == name) {
                    self.close_to(at);
                }
            }
            (Some(name), false) => self.open(name, tag.link),
            (None, false) if SILENT.contains(&name) => self.skip_element(name)?,
            (None, false) if matches!(name, "br" | "hr") => self.alone(name),
            (None, false) if name == "img" => {
                self.text(&tag.instead.unwrap_or_default().replace('<', "&lt;"))
            }
            (None, _) => {}
        }
        Some(())
    }

    fn open(&mut self, name: &'static str, link: Option<&str>) {
        while let Some(last) = self.open.last()
            && ends(name, last)
        {
            self.close_to(self.open.len() - 1);
        }
        let inline = INLINE.contains(&name);
        if self.open.len() >= DEEPEST {
            if !inline {
                self.alone("br");
            }
            return;
        }
        self.lines += usize::from(!inline);
        self.open.push(name);
        self.out.push('<');
        self.out.push_str(name);
        if let Some(link) = link.filter(|link| name == "a" && link.len() <= LONGEST_LINK) {
            // A quoted sign would end the attribute, and an angle the tag for a simple reader.
            let link = link.replace('"', "&quot;").replace('<', "%3C").replace('>', "%3E");
            self.out.push_str(&format!(" href=\"{link}\""));
        }
        self.out.push('>');
    }

    fn alone(&mut self, name: &str) {
        self.lines += 1;
        self.out.push_str(&format!("<{name}>"));
    }

    /// Closes elements, the innermost first, until `depth` are left open.
    fn close_to(&mut self, depth: usize) {
        for name in self.open.drain(depth.min(self.open.len())..).rev() {
            self.out.push_str(&format!("</{name}>"));
        }
    }

    fn skip_element(&mut self, name: &str) -> Option<()> {
        let at = self.lower.len() - self.rest.len();
        let length = self.lower.get(at..)?.find(&format!("</{name}"))?;
        self.rest = self.rest.get(length..)?;
        Some(())
    }
}

/// Whether an element ends the one before it without a word, as list items and cells do.
fn ends(new: &str, open: &str) -> bool {
    match open {
        "p" => !INLINE.contains(&new),
        "li" | "a" => new == open,
        "dt" | "dd" => matches!(new, "dt" | "dd"),
        "td" | "th" => matches!(new, "td" | "th" | "tr"),
        "tr" => new == "tr",
        _ => false,
    }
}

/// Reads the tag at the beginning, and returns what follows it. `None` when it never ends.
fn read_tag(text: &str) -> Option<(Tag<'_>, &str)> {
    let text = text.strip_prefix('<')?;
    let closes = text.starts_with('/');
    let text = text.strip_prefix('/').unwrap_or(text);
    let (name, mut rest) =
        text.split_at(text.find(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')?);
    let mut tag = Tag { closes, name: name.to_ascii_lowercase(), link: None, instead: None };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(after) = rest.strip_prefix('>') {
            return Some((tag, after));
        }
        let (name, value, after) = read_attribute(rest)?;
        rest = after;
        if name.eq_ignore_ascii_case("href") {
            tag.link = tag.link.or(Some(value));
        } else if name.eq_ignore_ascii_case("alt") {
            tag.instead = tag.instead.or(Some(value));
        }
    }
}

/// Name, value and what follows.
fn read_attribute(text: &str) -> Option<(&str, &str, &str)> {
    // The first character belongs to the name even if it is `=`.
    let begin = text.chars().next()?.len_utf8();
    let blank = |c: char| c.is_ascii_whitespace();
    let end = begin + text.get(begin..)?.find(|c: char| blank(c) || matches!(c, '=' | '/' | '>'))?;
    let (name, rest) = text.split_at(end);
    let Some(rest) = rest.trim_start_matches(blank).strip_prefix('=') else { return Some((name, "", rest)) };
    let rest = rest.trim_start_matches(blank);
    if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let (value, after) = rest.get(1..)?.split_once(quote)?;
        return Some((name, value, after));
    }
    let (value, after) = rest.split_at(rest.find(|c: char| blank(c) || c == '>')?);
    Some((name, value, after))
}

#[cfg(test)]
#[path = "bounded_tests.rs"]
mod tests;
