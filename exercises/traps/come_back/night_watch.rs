// The night watch

use heisenbug::db::{Connection, Result};

/// Takes a watchman off duty, if another one stays, and says whether it did.
pub fn go_home(tower: &Connection, name: &str) -> Result<bool> {
    tower.execute("update watchmen set on_duty = 0 where name = ?", [name])?;
    let on_duty: i64 = tower.value("select count(*) from watchmen where on_duty", ())?;
    if on_duty == 0 {
        tower.execute("update watchmen set on_duty = 1 where name = ?", [name])?;
    }
    Ok(on_duty > 0)
}
