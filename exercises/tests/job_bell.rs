//! Judges `job_bell.rs`: one worker and one job, and two of each.

use heisenbug::catalogue::Outcome;
use heisenbug::db::Database;
use heisenbug::judge::{Case, Judge, kept, start};
use heisenbug::sync::Arc;

heisenbug::exercise!(
    #[forbid(unsafe_code)]
    "job_bell.rs"
);

const SCHEMA: &str = "create table jobs (id integer primary key)";

/// So many workers wait while main inserts as many jobs. Says which jobs they did.
fn workers(number: i64) -> Vec<i64> {
    let db = Database::new(SCHEMA);
    let bell = Arc::new(yours::Bell::default());
    let workers: Vec<_> = (0..number)
        .map(|worker| {
            let (office, bell) = (db.connect(), Arc::clone(&bell));
            let work = move || yours::next_job(&office, &bell).unwrap();
            start(["first worker", "second worker"][worker as usize], work)
        })
        .collect();
    let office = db.connect();
    for job in 1..=number {
        office
            .execute("insert into jobs values (?)", [job])
            .unwrap();
        bell.ring();
    }
    let mut done: Vec<i64> = { workers.into_iter() }
        .map(|worker| worker.join().unwrap())
        .collect();
    done.sort_unstable();
    done
}

fn one_job() -> String {
    match workers(1)[..] {
        [1] => "the job is done",
        _ => "another job is done",
    }
    .into()
}

fn two_jobs() -> String {
    match workers(2)[..] {
        [1, 2] => "both jobs are done",
        _ => "a job is done twice",
    }
    .into()
}

fn jobs_that_are_there() -> String {
    let db = Database::new(&format!("{SCHEMA}; insert into jobs values (4), (9);"));
    let office = db.connect();
    let bell = yours::Bell::default();
    let done = [(); 2].map(|()| yours::next_job(&office, &bell).unwrap());
    let left: i64 = office.value("select count(*) from jobs", ()).unwrap();
    kept(done == [4, 9] && left == 0)
}

fn no_job() -> String {
    let office = Database::new(SCHEMA).connect();
    let job = yours::next_job(&office, &yours::Bell::default());
    format!("job {} out of nothing", job.unwrap())
}

heisenbug::judge!(Judge {
    outcomes: &[
        Outcome::acceptable("the job is done", "the worker found it, or heard of it"),
        Outcome::acceptable("both jobs are done", "each worker did one"),
        Outcome::forbidden("another job is done", "there was one job only"),
        Outcome::forbidden("a job is done twice", "both workers took the same one"),
        Outcome::forbidden("deadlock", "a job is there, and a worker listens"),
    ],
    contract: &[
        Case::promises(
            "`next_job` takes the oldest job that is there",
            jobs_that_are_there
        ),
        Case::sleeps("`next_job` waits while there is none", no_job),
    ],
    cases: &[
        Case::holds("one_job", one_job),
        Case::holds("two_jobs", two_jobs),
    ],
});
