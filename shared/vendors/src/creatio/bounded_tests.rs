//! HTML that is odd, broken or meant to do harm, and what is left of it.

use proptest::prelude::*;

use super::*;

#[test]
fn tags_are_balanced_and_attributes_go() {
    for (html, left) in [
        ("<ul><li>a<li>b</ul>", "<ul><li>a</li><li>b</li></ul>"),
        ("<OL START=9><li value='4'>a", "<ol><li>a</li></ol>"),
        ("<td colspan=5 width=\"9\">x<td>y", "<td>x</td><td>y</td>"),
        (
            "<a title='>' href=https://a.example/?a=1&amp;b>x</a>",
            "<a href=\"https://a.example/?a=1&amp;b\">x</a>",
        ),
        ("<b>1 < 2</b> <<p>x", "1 &lt; 2 &lt;<p>x</p>"),
        ("a<!-- <p> -->b<!doctype x>c<?php ?>d</ e>f", "abcdf"),
        ("a<SCRIPT>if (1<2) {}</script >b<style>", "ab"),
        ("<p>a<img alt=\"Logo<li>\" src=x>b</div>", "<p>aLogo&lt;li>b</p>"),
        ("<SECTION>a</section>b", "<div>a</div>b"),
        ("a<p title=\"never ends>b", "a"),
        ("a<", "a&lt;"),
        ("", ""),
    ] {
        assert_eq!(bounded(html), left, "{html}");
    }
}

#[test]
fn depth_lines_and_length_end_somewhere() {
    let deep = bounded(&"<blockquote>".repeat(1_900));
    assert_eq!(deep.matches("<blockquote>").count(), DEEPEST);
    assert_eq!(deep.matches("</blockquote>").count(), DEEPEST);
    let long = bounded(&format!("<pre>{}", "\n".repeat(100_000)));
    // The element itself is a line.
    assert_eq!(long.matches('\n').count(), MOST_LINES - 1);
    assert!(bounded(&"ü".repeat(MOST_READ)).len() <= MOST_LEFT + 1);
    // Pictures in a mail do not cost the words after them.
    let picture = format!("<p><img src='data:image/png;base64,{}'>words</p>", "A".repeat(900_000));
    assert_eq!(bounded(&picture), "<p>words</p>");
}

#[test]
fn without_tags_the_words_remain() {
    let html = bounded("<p>a &amp;lt; <a href='https://a.example/>'>b</a>c</p><p>d&nbsp;e");
    assert_eq!(words_alone(&html).trim(), "a &lt; bc\n\nd e");
}

proptest! {
    #[test]
    fn any_text_is_bounded(html in "(<|</|>|p|a|li|td|table|pre|!--|-->|'|\"|=| |href|script|\n|ü|\\PC){0,30}") {
        let left = bounded(&html);
        prop_assert!(left.len() <= MOST_LEFT + 1_000);
        // Walking again changes nothing: every tag that is left is whole, known and closed.
        prop_assert_eq!(bounded(&left), left);
    }
}
