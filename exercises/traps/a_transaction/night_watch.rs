// The night watch

use heisenbug::db::{Connection, Result};

/// Takes a watchman off duty, if another one stays, and says whether it did.
pub fn go_home(tower: &Connection, name: &str) -> Result<bool> {
    tower.begin()?;
    let on_duty: i64 = tower.value("select count(*) from watchmen where on_duty", ())?;
    if on_duty >= 2 {
        tower.execute("update watchmen set on_duty = 0 where name = ?", [name])?;
    }
    tower.commit()?;
    Ok(on_duty >= 2)
}
