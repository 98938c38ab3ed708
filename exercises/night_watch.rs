// The night watch
//
// Two watchmen are on duty, and one of them has to be. Each may go home if another one stays: `go_home`
// counts them first. This morning there was nobody.

use heisenbug::db::{Connection, Result};

/// Takes a watchman off duty, if another one stays, and says whether it did.
pub fn go_home(tower: &Connection, name: &str) -> Result<bool> {
    // TODO: make sure that the count still holds when the watchman goes.
    let on_duty: i64 = tower.value("select count(*) from watchmen where on_duty", ())?;
    if on_duty < 2 {
        return Ok(false);
    }
    tower.execute("update watchmen set on_duty = 0 where name = ?", [name])?;
    Ok(true)
}
