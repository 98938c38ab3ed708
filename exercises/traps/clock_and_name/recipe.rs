// The recipe
//
// Two phones have the same note, and each change goes to the other one. Of two texts, a phone keeps the one that
// was written later. But a clock may be slow: then a correction is thrown away, and the mistake stays.

use heisenbug::net::Machine;

/// A note, as a phone has it, and sends it.
#[derive(Clone, Debug, Default, Hash)]
pub struct Note {
    written: (u64, &'static str),
    pub text: &'static str,
}

/// What a phone does when its owner writes a new text.
pub fn edit(me: &Machine, note: &mut Note, text: &'static str) {
    note.text = text;
    // Both phones keep the same, and it may be the mistake.
    note.written = (me.now(), me.name());
}

/// What a phone does with the note of the other one.
pub fn merge(note: &mut Note, other: Note) {
    if other.written > note.written {
        *note = other;
    }
}
