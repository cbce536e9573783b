//! What Meta's error codes mean for a message, and in words for whoever must act.
//!
//! Codes decide, never titles or HTTP statuses alone: Meta announces that titles will go, and throttling often comes
//! as 400 (developers.facebook.com, WhatsApp Business Platform, error codes).

use jiff::SignedDuration;
use shared::delivery::Trouble;
use shared_flow::ports::SendError;

/// The pair limit: one message in 6 seconds to one customer, sustained.
const PAIR_WAIT: i64 = 6;
/// How long to keep away after a limit per number, in seconds; the caller doubles it from try to try.
const NUMBER_WAIT: i64 = 2;
/// How long to keep away after a limit that is counted over minutes or hours, in seconds.
const CALLS_WAIT: i64 = 60;

/// What a code says about the message it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Too fast: not sent, again after so many seconds at the least.
    Throttled(i64),
    /// Trouble at Meta's that passes. With a 5xx status the message may have left all the same.
    Passing,
    /// Meta does not know itself whether it left.
    Unclear,
    /// The 24 hours are over.
    Window,
    /// Never, for this message or this recipient.
    Permanent,
    /// The request was wrong, which is our mistake.
    Request,
    /// Token, right or registration is missing.
    Reconnect,
    /// The account or number is blocked or unpaid.
    Blocked,
}

#[rustfmt::skip]
fn meaning(code: i64) -> Option<(Class, &'static str)> {
    use Class::{Blocked, Passing, Permanent, Reconnect, Request, Throttled, Unclear, Window};
    let found = match code {
        0 | 190 => (Reconnect, "WhatsApp no longer accepts the access token. Create a new system-user token and put it into the settings."),
        1 => (Unclear, "WhatsApp reported an error without a cause."),
        2 | 131016 => (Passing, "WhatsApp is overloaded or down for the moment."),
        3 | 10 | 200..=299 | 131005 => (Reconnect, "The access token lacks a permission. Give the system user whatsapp_business_messaging and assign the WhatsApp account to it."),
        4 | 613 | 80007 => (Throttled(CALLS_WAIT), "Too many calls to WhatsApp in a short time."),
        33 => (Reconnect, "The business number does not exist any more. Check its phone number id in the settings."),
        100 | 131008 | 131009 | 135000 => (Request, "WhatsApp did not accept the form of the message. This is a fault of this software: report it with the code."),
        368 => (Blocked, "Meta has blocked the account for a breach of its policies for the time being. See the account's quality page."),
        130429 => (Throttled(NUMBER_WAIT), "The number sends faster than WhatsApp allows."),
        130472 => (Permanent, "WhatsApp withheld it: this customer takes part in one of Meta's marketing experiments."),
        130497 => (Blocked, "The account may not write to customers in this country."),
        131000 => (Unclear, "Something went wrong at WhatsApp's; it may have been sent."),
        131021 => (Request, "Sender and recipient are the same number."),
        131026 => (Permanent, "WhatsApp cannot deliver to this customer: no WhatsApp under this number, an old app, or we are blocked. Reach them another way."),
        131030 => (Reconnect, "The number is a test number and the recipient is not on its list. Add them in the Meta app, or use a real number."),
        131031 => (Blocked, "Meta has locked the business account. Nothing can be sent until that is settled in Meta's Business Support."),
        131037 => (Reconnect, "The display name of the number is not approved yet. Complete it in WhatsApp Manager."),
        131042 => (Blocked, "WhatsApp cannot charge for messages. Put the payment method right in WhatsApp Manager."),
        131045 | 133010 => (Reconnect, "The business number is not registered. Register it in the Meta app."),
        131047 => (Window, "More than 24 hours have passed since the customer last wrote; WhatsApp only takes approved templates now."),
        131048 => (Blocked, "WhatsApp restricts this number because customers reported or blocked it. Send less and see its quality rating."),
        131049 => (Permanent, "WhatsApp withheld it to spare the customer marketing. Not before tomorrow."),
        131050 => (Permanent, "The customer does not want marketing messages."),
        131051 => (Request, "WhatsApp does not know this kind of message."),
        131052 => (Permanent, "The file could not be downloaded."),
        131053 => (Permanent, "WhatsApp does not take a file of this type or format. Convert it."),
        131056 => (Throttled(PAIR_WAIT), "Too many messages to this customer in a short time."),
        131057 => (Passing, "WhatsApp is working on the account for a minute."),
        131060 => (Permanent, "WhatsApp cannot show this message."),
        131062 => (Permanent, "WhatsApp needs the customer's phone number for this message."),
        131063 => (Request, "Marketing templates cannot be sent this way."),
        131064 => (Blocked, "The messaging limit is reached because templates were classified wrongly. See WhatsApp Manager."),
        132000 | 132005 | 132008 | 132012 | 132018 => (Request, "The template's parameters do not fit it."),
        132001 => (Permanent, "The template does not exist in this language or is not approved."),
        132007 => (Permanent, "The template offends against WhatsApp's content policy."),
        132015 | 132016 => (Permanent, "The template is paused or disabled because of its quality."),
        132068 => (Permanent, "The form is blocked."),
        132069 => (Throttled(CALLS_WAIT), "The form is sent too often."),
        133004 => (Passing, "WhatsApp's registration server is not available."),
        133000..=133009 | 133016 => (Reconnect, "The business number's registration or PIN is not in order. See the number in WhatsApp Manager."),
        133015 => (Throttled(CALLS_WAIT), "The number was removed a moment ago; wait before registering it again."),
        137000 => (Permanent, "The customer's identity has changed; check whom you are writing to."),
        _ => return None,
    };
    Some(found)
}

/// What a failure means for the message, in the five words that inspection and receipts use. An unknown code is
/// taken to be final, so that nothing is sent twice on a guess.
#[must_use]
pub fn error_class(code: i64) -> &'static str {
    match meaning(code).map(|(class, _)| class) {
        Some(Class::Throttled(_) | Class::Passing | Class::Unclear) => "retryable",
        Some(Class::Window) => "window_closed",
        Some(Class::Reconnect) => "reconnect",
        Some(Class::Blocked) => "account_blocked",
        Some(Class::Permanent | Class::Request) | None => "not_retryable",
    }
}

/// A code in words.
#[must_use]
pub fn trouble(code: i64) -> Trouble {
    let unknown =
        "WhatsApp gave a reason that is not known here. Look the code up in Meta's list of error codes.";
    let text = meaning(code).map_or(unknown, |(_, words)| words);
    Trouble { code: Some(code), text: text.to_owned() }
}

/// What an answer that is no success means for the send. `code` is that of Meta's error object; `None` when the
/// answer has none. `asked` is how long the answer wants us to wait.
#[must_use]
pub fn send_error(status: u16, code: Option<i64>, asked: Option<SignedDuration>) -> SendError {
    let known = code.and_then(|code| Some((code, meaning(code)?.0)));
    let Some((code, class)) = known else { return by_status(status, code, asked) };
    match class {
        Class::Throttled(seconds) => throttled(seconds, asked, trouble(code)),
        Class::Passing if status < 500 => throttled(NUMBER_WAIT, asked, trouble(code)),
        Class::Passing | Class::Unclear => SendError::Unknown(trouble(code).text),
        Class::Window => SendError::WindowClosed(trouble(code)),
        Class::Reconnect => SendError::Credentials(trouble(code)),
        // One country's customers; the line works for the others.
        Class::Blocked if code == 130_497 => SendError::Refused(trouble(code)),
        Class::Blocked => SendError::Credentials(trouble(code)),
        Class::Permanent | Class::Request => SendError::Refused(trouble(code)),
    }
}

/// Without a code that we know, the status is all there is.
fn by_status(status: u16, code: Option<i64>, asked: Option<SignedDuration>) -> SendError {
    let described = || match code {
        Some(code) => trouble(code),
        None => Trouble::new(format!(
            "WhatsApp answered with status {status} and no reason. Check the Cloud API's address in the settings."
        )),
    };
    match status {
        429 => throttled(NUMBER_WAIT, asked, described()),
        401 | 403 => SendError::Credentials(described()),
        // The request may have been taken before the answer went wrong.
        408 | 425 | 200..=299 | 500.. => {
            SendError::Unknown(format!("WhatsApp answered with status {status} and nothing that settles it"))
        }
        _ => SendError::Refused(described()),
    }
}

fn throttled(seconds: i64, asked: Option<SignedDuration>, trouble: Trouble) -> SendError {
    let least = SignedDuration::from_secs(seconds);
    SendError::Throttled { after: asked.map_or(least, |asked| asked.max(least)), trouble }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_a_failed_status() {
        let cases = [
            (
                "retryable",
                vec![1, 2, 4, 613, 80007, 130429, 131000, 131016, 131056, 131057, 132069, 133004, 133015],
            ),
            ("window_closed", vec![131047]),
            (
                "not_retryable",
                vec![
                    100, 130472, 131008, 131009, 131021, 131026, 131049, 131050, 131051, 131052, 131053,
                    131060, 131062, 131063, 132000, 132001, 132005, 132007, 132008, 132012, 132015, 132016,
                    132018, 132068, 135000, 137000, 424_242,
                ],
            ),
            (
                "reconnect",
                vec![
                    0, 3, 10, 33, 190, 200, 250, 299, 131005, 131030, 131037, 131045, 133000, 133005, 133006,
                    133008, 133009, 133010, 133016,
                ],
            ),
            ("account_blocked", vec![368, 130497, 131031, 131042, 131048, 131064]),
        ];
        for (wanted, codes) in cases {
            for code in codes {
                assert_eq!(error_class(code), wanted, "{code}");
                assert_eq!(trouble(code).code, Some(code));
                assert!(trouble(code).text.ends_with('.'), "{code}");
            }
        }
    }

    #[test]
    fn the_wait_is_the_longer_of_ours_and_theirs() {
        let wait = |code, asked: Option<i64>| match send_error(
            400,
            Some(code),
            asked.map(SignedDuration::from_secs),
        ) {
            SendError::Throttled { after, .. } => after.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!((wait(131056, None), wait(131056, Some(1)), wait(131056, Some(30))), (6, 6, 30));
    }

    #[test]
    fn trouble_that_passes_is_only_settled_below_500() {
        assert!(matches!(send_error(400, Some(131016), None), SendError::Throttled { .. }));
        assert!(matches!(send_error(503, Some(131016), None), SendError::Unknown(_)));
        for status in [400, 500] {
            assert!(matches!(send_error(status, Some(131000), None), SendError::Unknown(_)));
            assert!(matches!(send_error(status, Some(3), None), SendError::Credentials(_)));
        }
    }

    #[test]
    fn a_barred_country_does_not_stop_the_line() {
        assert!(matches!(send_error(403, Some(130497), None), SendError::Refused(_)));
        assert!(matches!(send_error(403, Some(131031), None), SendError::Credentials(_)));
    }
}
