// The last will
//
// A notary keeps a will in a file, and throws away the one before. Whoever hears "kept" may rely on it. He may
// crash, and starts again with what is on his disk. Once the family found the old will, and once none at all.

use heisenbug::net::Machine;

/// To the client: your will is kept, whatever happens.
#[derive(Clone, Debug)]
pub struct Kept;

/// Keeps a will. The first one, `will-1`, is there from the beginning, and the one with the highest number counts.
pub fn keep(me: &Machine, client: &'static str, number: u32, text: &str) {
    let disk = me.disk();
    disk.write("draft", text);
    disk.sync("draft").unwrap();
    disk.remove(&format!("will-{}", number - 1)).unwrap();
    disk.rename("draft", &format!("will-{number}")).unwrap();
    // Until the rename, there was neither the one name nor the other.
    disk.sync_dir();
    me.send(client, Kept);
}
