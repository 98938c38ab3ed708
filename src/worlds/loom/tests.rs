//! scratch
use crate::check::loom::{Limits, explore, find};
#[test]
fn survey() {
    use std::io::Write;
    let only = std::env::var("ONLY").unwrap_or_default();
    for bug in super::all() {
        for variant in bug.variants {
            let name = format!("{}/{}", bug.name, variant.name);
            if !name.contains(&only) {
                continue;
            }
            match find(bug.name, variant.name) {
                Err(why) => println!("{name}: {why}"),
                Ok((b, v)) => {
                    print!("{name} [{:?}]: ", v.role);
                    std::io::stdout().flush().unwrap();
                    let a = explore(
                        b,
                        v,
                        Limits {
                            max_time: std::time::Duration::from_secs(8),
                            preemptions: std::env::var("PB").ok().map(|p| p.parse().unwrap()),
                            ..Limits::default()
                        },
                        |_| (),
                    );
                    println!(
                        "{} {:?} {} it {} ms | {} | {}",
                        a.verdict,
                        a.class,
                        a.executions,
                        a.millis,
                        a.message
                            .unwrap_or_default()
                            .chars()
                            .take(90)
                            .collect::<String>(),
                        a.stopped
                            .unwrap_or_default()
                            .chars()
                            .take(60)
                            .collect::<String>()
                    );
                }
            }
        }
    }
}
