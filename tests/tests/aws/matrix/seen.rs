//! What somebody from outside sees of one customer when a story is told: the transcript, the phone, the CRM, and that
//! nothing is left undone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::ids::derive;
use shared::session::Resolver;
use shared::{Message, MessageId, Session, State};

use super::super::creatio::REP;
use super::super::world::World;
use super::stored::Stored;
use super::story::Scene;

/// What stands below an activity whose message was perhaps delivered twice.
const DOUBT: &str = "\n\n[possibly delivered twice]";

/// A text that is longer is compared by its beginning, its length and its fingerprint.
const SHOWN: usize = 500;

/// Everything that is compared between one telling and another. Names, numbers and ids are replaced by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How the sessions stand, oldest first.
    pub sessions: Vec<String>,
    /// What was said, by whom, for whom; session after session.
    pub transcript: Vec<String>,
    /// What the customer got, each text once: session after session, and within each in order.
    pub phone: Vec<String>,
    /// The customer's cases: status, description and activities.
    pub cases: Vec<Vec<String>>,
    /// How many contacts of the customer the CRM has.
    pub contacts: usize,
    /// How many originals were put aside.
    pub parked: usize,
    /// Texts that the customer got more than once.
    pub repeated: Vec<String>,
    /// Texts of which the CRM says that they were perhaps delivered twice.
    pub doubted: Vec<String>,
    /// What must not be: records that never came back, work that is overdue, activities that belong to nothing.
    pub wrong: Vec<String>,
    /// What is not done yet.
    pub unfinished: Vec<String>,
}

impl Seen {
    /// Whether nothing is left to do and nothing is where it must not be.
    pub fn is_at_rest(&self) -> bool {
        self.wrong.is_empty() && self.unfinished.is_empty()
    }
}

impl World {
    /// Looks at everything.
    pub async fn seen(&self, scene: &Scene) -> Seen {
        let stored = self.stored().await;
        let sessions = stored.sessions();
        let eye = Eye { world: self, scene, stored: &stored, veil: Veil::new(scene, &sessions), sessions };
        let mut seen = Seen {
            sessions: eye.sessions.iter().map(standing).collect(),
            transcript: eye.transcript(),
            parked: self.parked().await,
            unfinished: stored.unfinished(),
            wrong: stored.overdue(self.now()),
            ..Seen::default()
        };
        seen.wrong.extend(self.hidden.iter().map(|_| "a record never came back".to_owned()));
        eye.look_at_the_phone(&mut seen);
        eye.look_at_the_crm(&mut seen);
        seen
    }
}

/// Who looks.
struct Eye<'a> {
    world: &'a World,
    scene: &'a Scene,
    stored: &'a Stored,
    sessions: Vec<Session>,
    veil: Veil,
}

impl Eye<'_> {
    fn transcript(&self) -> Vec<String> {
        let messages = self.sessions.iter().flat_map(|session| self.stored.transcript(session.id));
        messages.map(|message| self.veil.over(&told(&message))).collect()
    }

    fn look_at_the_phone(&self, seen: &mut Seen) {
        let mut received = self.world.vendors.graph.received(&self.scene.customer);
        // Only within a session messages wait for each other.
        let of = |callback: &str, session: &Session| callback.starts_with(&session.id.to_string());
        received.sort_by_key(|sent| self.sessions.iter().position(|session| of(&sent.callback, session)));
        let mut known = BTreeSet::new();
        for sent in received {
            let is_first = known.insert(sent.callback);
            let list = if is_first { &mut seen.phone } else { &mut seen.repeated };
            list.push(self.veil.over(&sent.text));
        }
    }

    fn look_at_the_crm(&self, seen: &mut Seen) {
        let contacts = self.world.vendors.creatio.rows("Contact");
        seen.contacts = contacts.iter().filter(|row| row["Name"] == self.scene.customer.name).count();
        let mut missing = self.records();
        for case in self.scene.cases(self.world) {
            let row = Value::Object(self.world.vendors.creatio.case(&case));
            let mut lines = vec![self.text(&row["StatusId"]), self.text(&row["Symptoms"])];
            for activity in self.world.vendors.creatio.activities(&case) {
                if activity["CreatedById"] != REP && !missing.remove(&activity["Id"].to_string()) {
                    seen.wrong.push("an activity that belongs to no message".to_owned());
                }
                let text = self.text(&activity["DetailedResult"]);
                let certain = text.strip_suffix(DOUBT);
                seen.doubted.extend(certain.map(str::to_owned));
                lines.push(certain.unwrap_or(&text).to_owned());
            }
            seen.cases.push(lines);
        }
        seen.wrong.extend(missing.iter().map(|_| "a message that is in no case".to_owned()));
    }

    /// The ids, in quotes, of all records that must be in the CRM: computed from the messages, not remembered.
    fn records(&self) -> BTreeSet<String> {
        let mirrored = |session: &Session| {
            let (org, session) = (session.org.clone(), session.id);
            let messages = self.stored.transcript(session).into_iter().filter(Message::is_for_the_rep);
            messages
                .map(move |message| shared::crm::activity_id(&org, MessageId { session, seq: message.seq }))
        };
        self.sessions.iter().flat_map(mirrored).map(|id| format!("\"{id}\"")).collect()
    }

    fn text(&self, value: &Value) -> String {
        self.veil.over(value.as_str().unwrap_or_default())
    }
}

fn standing(session: &Session) -> String {
    let standing = match &session.state {
        State::Assistant => "with the assistant",
        State::HandedOff(_) => "handed off",
        State::Resolved(resolution) => match resolution.by {
            Resolver::Silence => "ended by silence",
            Resolver::Person => "ended by a person",
            Resolver::Case => "ended by the case",
        },
    };
    standing.to_owned()
}

fn told(message: &Message) -> String {
    format!("{:?} to {:?}: {}", message.author, message.audience, message.text)
}

/// Takes out of a text what differs from telling to telling.
struct Veil(BTreeMap<String, &'static str>);

impl Veil {
    fn new(scene: &Scene, sessions: &[Session]) -> Self {
        let customer = &scene.customer;
        let mut names = BTreeMap::from([(customer.name.clone(), "<name>")]);
        names.extend(customer.phone.clone().map(|phone| (phone, "<phone>")));
        names.extend(customer.user_id.clone().map(|id| (id, "<user id>")));
        names.extend(sessions.iter().map(|session| (session.id.to_string(), "<session>")));
        Self(names)
    }

    fn over(&self, text: &str) -> String {
        let veiled = self.0.iter().fold(text.to_owned(), |text, (name, instead)| text.replace(name, instead));
        let count = veiled.chars().count();
        if count <= SHOWN {
            return veiled;
        }
        let beginning: String = veiled.chars().take(60).collect();
        format!("{beginning}… ({count} characters, {})", derive("seen", &[&veiled]))
    }
}
