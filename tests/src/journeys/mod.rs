//! Journeys: conversations written as scripts, told by the core, and compared with what was expected of them.
//!
//! ```text
//! line: ai on, crm every conversation, debounce 3s
//!
//! 12:00 customer I want my money back
//!         > #1 customer
//!         > turn 1 due 12:00:03
//! ```
//!
//! A step is a time, a verb and its words; what it did stands below it after `>`. Whoever changes the behaviour runs
//! the test with `UPDATE_JOURNEYS=1` and reviews the difference. The verbs are listed in [`script::Verb`].

pub mod script;
pub mod show;
pub mod story;
pub mod words;

mod copy;

/// Why a script cannot be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadScript {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for BadScript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Tells a script and returns it with what happened below each step. A script whose expectations are right comes
/// back as it was written.
pub fn tell(text: &str) -> Result<String, BadScript> {
    let mut story = story::Story::new();
    let mut told = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        let effects = match script::read(line, story.now()) {
            Ok(script::Line::Words) => Vec::new(),
            Ok(script::Line::Expectation) => continue,
            Ok(script::Line::Setting(setting)) => {
                story.set(setting);
                Vec::new()
            }
            Ok(script::Line::Step(step)) => {
                story.play(&step).map_err(|why| BadScript { line: number, why })?
            }
            Err(why) => return Err(BadScript { line: number, why }),
        };
        told.push_str(line.trim_end());
        told.push('\n');
        for effect in effects {
            told.push_str(&format!("        > {effect}\n"));
        }
    }
    Ok(told)
}
