// The job bell
//
// A worker looks for a job in the table. If there is none, it listens to the bell, which rings whenever
// a job is inserted: but only in the ears of those who listen. Some jobs lie there forever.

use heisenbug::db::{Connection, Result};
use heisenbug::sync::Mutex;
use heisenbug::sync::mpsc::{self, Receiver, Sender};

/// Rings once for everybody who listens at that moment.
#[derive(Default)]
pub struct Bell {
    ears: Mutex<Vec<Sender<()>>>,
}

impl Bell {
    /// Begins to listen.
    pub fn listen(&self) -> Receiver<()> {
        let (ear, rings) = mpsc::channel();
        self.ears.lock().unwrap().push(ear);
        rings
    }

    /// Rings.
    pub fn ring(&self) {
        for ear in self.ears.lock().unwrap().iter() {
            let _ = ear.send(());
        }
    }
}

/// Waits for a job, takes it out of the table, and returns its number.
pub fn next_job(office: &Connection, bell: &Bell) -> Result<i64> {
    // Looks twice.
    for _ in 0..2 {
        if let Some(job) = take(office)? {
            return Ok(job);
        }
    }
    let rings = bell.listen();
    loop {
        rings.recv().unwrap();
        if let Some(job) = take(office)? {
            return Ok(job);
        }
    }
}

/// Takes the oldest job out of the table.
fn take(office: &Connection) -> Result<Option<i64>> {
    let sql = "delete from jobs where id = (select min(id) from jobs) returning id";
    let taken = office.query(sql, ())?;
    Ok(taken.first().map(|row| row.get(0)))
}
