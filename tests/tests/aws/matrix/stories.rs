//! The stories that are told: together they lead every function through everything that it does.

use super::super::graph::Fault;
use super::story::{Act, Story};

/// Two looks of the clock: after the last lease, and after a queue has shown its records again.
const FIRST_LOOK: Act = Act::Passes(130);
const SECOND_LOOK: Act = Act::Passes(250);

/// All of them.
pub const STORIES: &[Story] = &[
    Story::new(
        "help",
        &[
            Act::Writes("My bicycle bell is broken."),
            Act::Reports("delivered"),
            Act::Reports("read"),
            Act::WritesAtLength("May I speak to a human? "),
            Act::RepReplies("Good day, I will send you a new bell."),
            Act::RepCloses,
            FIRST_LOOK,
            SECOND_LOOK,
        ],
    ),
    Story::new(
        "rubbish",
        &[
            Act::Handshake,
            Act::IsChecked,
            Act::WritesBesideRubbish("Is anybody there?"),
            Act::Spoils("ConversationQueue"),
            Act::Spoils("DeliveriesQueue"),
            Act::Spoils("CrmSyncQueue"),
            Act::Spoils("TurnsQueue"),
            Act::Spoils("ReceiptsQueue"),
        ],
    ),
    Story::new(
        "silence",
        &[Act::Writes("Thank you, that was all."), Act::Passes(13 * 3600), FIRST_LOOK, SECOND_LOOK],
    ),
    Story::new(
        "people",
        &[
            Act::WritesToPeople("Is anybody there tonight?"),
            Act::RepReplies("Here I am, good evening."),
            FIRST_LOOK,
            SECOND_LOOK,
        ],
    ),
    // The outcome of the send is never learned: it is sent once more.
    Story::new(
        "unsure",
        &[Act::WillFail(Fault::CutAfter, 1), Act::Writes("Did you get this?"), FIRST_LOOK, SECOND_LOOK],
    )
    .depends_on_time()
    .unsure_until(4),
    // The same, but a status of WhatsApp tells the outcome.
    Story::new(
        "settled",
        &[
            Act::WillFail(Fault::CutAfter, 1),
            Act::Writes("Did you get this one?"),
            Act::Reports("sent"),
            FIRST_LOOK,
            SECOND_LOOK,
        ],
    )
    .depends_on_time()
    .unsure_until(2),
    Story::new(
        "refused",
        &[
            Act::WillFail(Fault::Code(400, 131_026), 3),
            Act::Writes("Can you reach me?"),
            FIRST_LOOK,
            SECOND_LOOK,
        ],
    )
    .depends_on_time(),
    Story::new("taken back", &[Act::Writes("Are you sure?"), Act::TakesBack, FIRST_LOOK, SECOND_LOOK])
        .depends_on_time(),
    // Brought late, so that the window is closed: a reply waits until the customer writes again, in another session.
    Story::new(
        "held",
        &[
            Act::WroteYesterday("I need somebody."),
            Act::RepReplies("Sorry for the long wait."),
            Act::RepCloses,
            Act::Writes("Are you still there?"),
            FIRST_LOOK,
            SECOND_LOOK,
        ],
    )
    .depends_on_time(),
    // Besides the large bodies there is nothing new in it, and each telling sends twenty messages.
    Story::new(
        "at length",
        &[Act::AnswersAtLength, Act::Writes("Tell me everything about bells."), Act::RepRepliesAtLength],
    )
    .killed_only_at("s3:"),
    // `delivery` passes its work on, and `agent` finds that the turn is not due yet by its own clock.
    Story::new(
        "haste",
        &[Act::IsShortOfTime, Act::IsLate(2), Act::Writes("Quick, please."), FIRST_LOOK, SECOND_LOOK],
    )
    .depends_on_time(),
];
