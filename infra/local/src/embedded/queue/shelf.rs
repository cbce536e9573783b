//! The queue's rows in SQLite: which may be taken at a given time, and what becomes of those that are.
//!
//! Only what is put on must be safe from a power cut: it is synchronised to the disk before `put` returns. What is
//! taken, finished or put back survives the end of the process, which is all that is asked of it: after a power cut
//! a finished job may be there again, and its keys absorb the repeat.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Result, params};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS jobs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        lane TEXT,
        body TEXT NOT NULL,
        poke INTEGER NOT NULL,
        head INTEGER NOT NULL,
        taken INTEGER NOT NULL DEFAULT 0,
        visible_at INTEGER NOT NULL,
        receive_count INTEGER NOT NULL DEFAULT 0,
        enqueued_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS jobs_due ON jobs (queue, head, visible_at, id);
    CREATE INDEX IF NOT EXISTS jobs_lane ON jobs (lane, id) WHERE lane IS NOT NULL;
    CREATE INDEX IF NOT EXISTS jobs_poke ON jobs (body) WHERE poke = 1;
    CREATE TABLE IF NOT EXISTS unreadable (
        id INTEGER PRIMARY KEY,
        queue TEXT NOT NULL,
        body TEXT NOT NULL,
        why TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT;";

/// The rows. Times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Shelf {
    db: Connection,
}

/// A job to put on.
pub(super) struct Put {
    pub(super) queue: &'static str,
    /// What keeps it in order with its neighbours, if anything does.
    pub(super) lane: Option<String>,
    pub(super) body: String,
    /// Whether one that waits already is as good as two.
    pub(super) poke: bool,
    pub(super) visible_at: i64,
}

/// Names one taking of one job: whoever took it before, and was too slow, has an old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    row: i64,
    receive: u32,
}

/// A job that was taken.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) ticket: Ticket,
    pub(super) body: String,
    pub(super) receive_count: u32,
    pub(super) enqueued_at: i64,
}

impl Shelf {
    /// Opens the file, or makes it. Nobody else has it, so whatever is taken was left behind and waits again.
    pub(super) fn open(file: &Path, now: i64) -> Result<Self> {
        let db = Connection::open(file)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.execute_batch(SCHEMA)?;
        db.execute("UPDATE jobs SET taken = 0, visible_at = min(visible_at, ?1) WHERE taken = 1", [now])?;
        Ok(Self { db })
    }

    /// Puts all jobs on, or none. When it returns they are safe. A poke equal to one that waits is the same poke, due
    /// at the earlier time, even if the other one waits because it failed: something new is a reason to try now.
    pub(super) fn put(&mut self, jobs: &[Put], now: i64) -> Result<()> {
        self.db.pragma_update(None, "synchronous", "FULL")?;
        let change = self.db.transaction()?;
        {
            let mut fold = change.prepare_cached(
                "UPDATE jobs SET visible_at = min(visible_at, ?3)
                 WHERE poke = 1 AND body = ?2 AND queue = ?1 AND taken = 0",
            )?;
            let mut insert = change.prepare_cached(
                "INSERT INTO jobs (queue, lane, body, poke, head, visible_at, enqueued_at)
                 VALUES (?1, ?2, ?3, ?4, NOT EXISTS (SELECT 1 FROM jobs WHERE lane = ?2), ?5, ?6)",
            )?;
            for job in jobs {
                let folded = job.poke && fold.execute(params![job.queue, job.body, job.visible_at])? > 0;
                if !folded {
                    let values = params![job.queue, job.lane, job.body, job.poke, job.visible_at, now];
                    insert.execute(values)?;
                }
            }
        }
        change.commit()
    }

    /// Takes what is due, at most `max`: nobody else gets it before `until`. Of a lane only the first.
    pub(super) fn take(&mut self, queue: &str, max: usize, now: i64, until: i64) -> Result<Vec<Taken>> {
        let rows = self.due(queue, max, now)?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        self.lightly()?;
        let change = self.db.transaction()?;
        let mut taken = Vec::new();
        {
            let mut take = change.prepare_cached(
                "UPDATE jobs SET taken = 1, visible_at = ?2, receive_count = receive_count + 1
                 WHERE id = ?1 RETURNING body, receive_count, enqueued_at",
            )?;
            for row in rows {
                taken.push(take.query_row([row, until], |found| {
                    let receive = found.get(1)?;
                    Ok(Taken {
                        ticket: Ticket { row, receive },
                        body: found.get(0)?,
                        receive_count: receive,
                        enqueued_at: found.get(2)?,
                    })
                })?);
            }
        }
        change.commit()?;
        Ok(taken)
    }

    fn due(&self, queue: &str, max: usize, now: i64) -> Result<Vec<i64>> {
        let mut due = self.db.prepare_cached(
            "SELECT id FROM jobs WHERE queue = ?1 AND head = 1 AND visible_at <= ?2
             ORDER BY visible_at, id LIMIT ?3",
        )?;
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        due.query_map(params![queue, now, max], |row| row.get(0))?.collect()
    }

    /// When the next job of a queue may be taken, if there is one; in the past when it may be taken now.
    pub(super) fn next_at(&self, queue: &str) -> Result<Option<i64>> {
        let mut next =
            self.db.prepare_cached("SELECT min(visible_at) FROM jobs WHERE queue = ?1 AND head = 1")?;
        next.query_row([queue], |row| row.get(0))
    }

    /// The job is done. Returns whether its lane's next may now be taken.
    pub(super) fn finish(&mut self, ticket: Ticket) -> Result<bool> {
        self.lightly()?;
        let change = self.db.transaction()?;
        let lane: Option<Option<String>> = change
            .prepare_cached("DELETE FROM jobs WHERE id = ?1 AND receive_count = ?2 RETURNING lane")?
            .query_row(params![ticket.row, ticket.receive], |row| row.get(0))
            .optional()?;
        let opened = promote(&change, lane.flatten())?;
        change.commit()?;
        Ok(opened)
    }

    /// The job waits again until `visible_at`; a lane's next wait behind it. Returns its queue, if the ticket counts.
    pub(super) fn put_back(&mut self, ticket: Ticket, visible_at: i64) -> Result<Option<String>> {
        self.lightly()?;
        let sql = "UPDATE jobs SET taken = 0, visible_at = ?3 WHERE id = ?1 AND receive_count = ?2
                   RETURNING queue";
        let mut put_back = self.db.prepare_cached(sql)?;
        put_back.query_row(params![ticket.row, ticket.receive, visible_at], |row| row.get(0)).optional()
    }

    /// The job cannot be read: it is kept aside, so that it blocks nobody and nothing is lost.
    pub(super) fn set_aside(&mut self, ticket: Ticket, why: &str, now: i64) -> Result<bool> {
        let sql = "INSERT OR REPLACE INTO unreadable (id, queue, body, why, at)
                   SELECT id, queue, body, ?2, ?3 FROM jobs WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute(params![ticket.row, why, now])?;
        self.finish(ticket)
    }

    /// The next change need not wait for the disk.
    fn lightly(&self) -> Result<()> {
        self.db.pragma_update(None, "synchronous", "NORMAL")
    }
}

/// Makes the first of what is left in a lane takeable. Returns whether there is one.
fn promote(db: &Connection, lane: Option<String>) -> Result<bool> {
    let Some(lane) = lane else { return Ok(false) };
    let sql = "UPDATE jobs SET head = 1 WHERE id = (SELECT min(id) FROM jobs WHERE lane = ?1)";
    Ok(db.prepare_cached(sql)?.execute([lane])? > 0)
}

#[cfg(test)]
mod tests;
