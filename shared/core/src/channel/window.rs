//! The reply window: on WhatsApp, free text may be sent only within 24 hours of the customer's last message.

use jiff::{SignedDuration, Timestamp};

use super::Channel;

/// How long before the vendor's own limit we stop, so that a message under way still arrives inside.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// When free text to this customer stops being allowed; `None` when the channel has no such limit.
///
/// `last_inbound` is when the customer last wrote, `None` if they never did: then the window was never open.
#[must_use]
pub fn closes_at(channel: Channel, last_inbound: Option<Timestamp>) -> Option<Timestamp> {
    match channel {
        Channel::Whatsapp => {
            let opened = last_inbound.unwrap_or(Timestamp::UNIX_EPOCH);
            Some(opened.saturating_add(SignedDuration::from_hours(24) - MARGIN).unwrap_or(Timestamp::MAX))
        }
    }
}

/// Whether free text may be sent now.
#[must_use]
pub fn is_open(channel: Channel, last_inbound: Option<Timestamp>, now: Timestamp) -> bool {
    closes_at(channel, last_inbound).is_none_or(|end| now < end)
}

/// When the customer wrote, as far as we believe it: the vendor's time if plausible, never later than receipt.
///
/// Providers repeat a webhook for up to 7 days with its original time; anything older than 8 days or more than
/// 5 minutes ahead is a wrong clock, and then the receipt time counts.
#[must_use]
pub fn believed_time(claimed: Option<Timestamp>, received: Timestamp) -> Timestamp {
    let Some(claimed) = claimed else { return received };
    let age = received.duration_since(claimed);
    if age > SignedDuration::from_hours(8 * 24) || age < -SignedDuration::from_mins(5) {
        return received;
    }
    claimed.min(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_794_819_600 + seconds).unwrap()
    }

    #[test]
    fn the_window_ends_a_minute_before_the_vendors_limit() {
        let day = 24 * 3600;
        assert!(is_open(Channel::Whatsapp, Some(at(0)), at(day - 61)));
        assert!(!is_open(Channel::Whatsapp, Some(at(0)), at(day - 60)));
        assert!(!is_open(Channel::Whatsapp, None, at(0)));
    }

    #[test]
    fn implausible_clocks_fall_back_to_the_receipt() {
        assert_eq!(believed_time(Some(at(-30)), at(0)), at(-30));
        assert_eq!(believed_time(Some(at(200)), at(0)), at(0));
        assert_eq!(believed_time(Some(at(301)), at(0)), at(0));
        assert_eq!(believed_time(Some(at(-9 * 24 * 3600)), at(0)), at(0));
        assert_eq!(believed_time(None, at(0)), at(0));
    }
}
