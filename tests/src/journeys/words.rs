//! The small words of a script: times of day, options and texts.

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};

/// Midnight of the day on which scripts begin.
const DAY_ONE: i64 = 1_794_787_200;
const DAY: i64 = 24 * 3600;

/// A script begins on day 1, at midnight.
#[must_use]
pub fn beginning() -> Timestamp {
    Timestamp::from_second(DAY_ONE).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads `[day N ]HH:MM[:SS]` off the front. Without a day it is the day of `now`.
pub fn time(text: &str, now: Timestamp) -> Result<(Timestamp, &str), String> {
    let (day, rest) = match text.strip_prefix("day ") {
        Some(rest) => {
            let (number, rest) = word(rest);
            (number.parse::<i64>().map_err(|_| format!("{number:?} is no day"))?, rest)
        }
        None => (day_of(now), text),
    };
    let (clock, rest) = word(rest);
    let time: Time = clock.parse().map_err(|_| format!("{clock:?} is no time of day"))?;
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let at =
        Timestamp::from_second(DAY_ONE + (day - 1) * DAY + seconds).map_err(|error| error.to_string())?;
    Ok((at, rest))
}

/// A time as scripts write it: seconds only where there are any, the day only where it is another than `now`'s.
#[must_use]
pub fn show_time(at: Timestamp, now: Timestamp) -> String {
    let seconds = (at.as_second() - DAY_ONE).rem_euclid(DAY);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let clock = if second == 0 {
        format!("{hour:02}:{minute:02}")
    } else {
        format!("{hour:02}:{minute:02}:{second:02}")
    };
    if day_of(at) == day_of(now) { clock } else { format!("day {} {clock}", day_of(at)) }
}

fn day_of(at: Timestamp) -> i64 {
    (at.as_second() - DAY_ONE).div_euclid(DAY) + 1
}

/// A length of time: `3s`, `10m`, `12h`.
pub fn length(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("{text:?} is no length of time: write 3s, 10m or 12h");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "s" => Ok(SignedDuration::from_secs(number)),
        "m" => Ok(SignedDuration::from_mins(number)),
        "h" => Ok(SignedDuration::from_hours(number)),
        _ => Err(wrong()),
    }
}

/// The first word and the rest.
#[must_use]
pub fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// Takes options off the front, in whatever order they stand: `key=value` or `key="more words"`.
#[must_use]
pub fn options<'a, const N: usize>(text: &'a str, keys: [&str; N]) -> ([Option<&'a str>; N], &'a str) {
    let (mut values, mut text) = ([None; N], text);
    while let Some((at, rest)) = keys.iter().enumerate().find_map(|(at, key)| {
        let rest = text.strip_prefix(key)?.strip_prefix('=')?;
        Some((at, rest))
    }) {
        let (value, rest) = quoted(rest).unwrap_or_else(|| word(rest));
        if let Some(slot) = values.get_mut(at) {
            *slot = Some(value);
        }
        text = rest;
    }
    (values, text)
}

/// Takes words in quotation marks off the front, if they stand there.
#[must_use]
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    let (value, rest) = text.strip_prefix('"')?.split_once('"')?;
    Some((value, rest.trim_start()))
}

/// The words of a step: as they stand, with `<U+200B>` for a character that no reader sees; `(long N)` for N
/// characters.
pub fn said(text: &str) -> Result<String, String> {
    let long = text.strip_prefix("(long ").and_then(|rest| rest.strip_suffix(')'));
    let Some(number) = long else { return with_hidden(text) };
    let most: usize = number.parse().map_err(|_| format!("{number:?} is no number"))?;
    let sentences = (1_u32..).flat_map(|n| format!("This is sentence {n}. ").into_bytes());
    Ok(sentences.take(most).map(char::from).collect())
}

fn with_hidden(text: &str) -> Result<String, String> {
    let mut parts = text.split("<U+");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = part.split_once('>').ok_or("a <U+…> has no end")?;
        let hidden = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        words.push(hidden.ok_or_else(|| format!("{code:?} is no character"))?);
        words.push_str(rest);
    }
    Ok(words)
}
