//! Blocks of header fields (HPACK, RFC 7541). The client's are made once a connection; of the server's only one field
//! counts, `grpc-status`.

use std::collections::VecDeque;

/// Where the fields of the dynamic table begin.
const STATIC_FIELDS: usize = 61;
/// The table of 4096 bytes holds no more, since each field counts 32 bytes and its own.
const MOST_FIELDS: usize = 4096 / 32;

/// The block of a request: for the first on a connection, which fills the server's table, and for all after it.
pub fn request(path: &str, key: &str) -> [Vec<u8>; 2] {
    // `:method: POST` and `:scheme: http`, of the static table.
    let mut first = vec![0x83, 0x86];
    let mut again = first.clone();
    let authorization = format!("Bearer {key}");
    // Names by their place in the static table: `:path`, `:authority`, `content-type`, `user-agent`, `authorization`.
    let known = [(4, path), (1, "127.0.0.1"), (31, "application/grpc"), (58, "load"), (23, &authorization)];
    for (name, value) in known {
        integer(&mut first, 6, 0x40, name);
        string(&mut first, value);
    }
    first.push(0x40);
    string(&mut first, "te");
    string(&mut first, "trailers");
    // The newest has the first place; `:path` goes before the fields without a colon.
    for place in (1..=known.len() + 1).rev() {
        integer(&mut again, 7, 0x80, STATIC_FIELDS + place);
    }
    [first, again]
}

fn string(out: &mut Vec<u8>, text: &str) {
    integer(out, 7, 0, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// An integer whose first byte has this pattern and so many bits of it (5.1).
fn integer(out: &mut Vec<u8>, bits: u8, pattern: u8, mut value: usize) {
    let most = (1 << bits) - 1;
    let byte = |value: usize| u8::try_from(value).unwrap();
    if value < most {
        return out.push(pattern | byte(value));
    }
    out.push(pattern | byte(most));
    value -= most;
    while value >= 0x80 {
        out.push(0x80 | byte(value % 0x80));
        value /= 0x80;
    }
    out.push(byte(value));
}

#[derive(Clone, Copy)]
enum Field {
    StatusOk,
    OtherStatus,
    Other,
}

/// Reads the server's blocks, each of a connection in turn.
#[derive(Default)]
pub struct Reader {
    /// The dynamic table, newest first.
    fields: VecDeque<Field>,
}

impl Reader {
    /// Tells whether a block has `grpc-status: 0`.
    pub fn is_ok(&mut self, mut block: &[u8]) -> bool {
        let mut ok = false;
        while let Some(&first) = block.first() {
            let field = if first & 0x80 != 0 {
                let place = read_integer(&mut block, 7);
                self.field(place)
            } else if first & 0xe0 == 0x20 {
                read_integer(&mut block, 5);
                continue;
            } else if first & 0x40 != 0 {
                let field = self.literal(&mut block, 6);
                self.fields.push_front(field);
                self.fields.truncate(MOST_FIELDS);
                field
            } else {
                self.literal(&mut block, 4)
            };
            ok |= matches!(field, Field::StatusOk);
        }
        ok
    }

    fn field(&self, place: usize) -> Field {
        if place <= STATIC_FIELDS { Field::Other } else { self.fields[place - STATIC_FIELDS - 1] }
    }

    fn literal(&self, block: &mut &[u8], bits: u8) -> Field {
        let is_status = match read_integer(block, bits) {
            0 => [&b"grpc-status"[..], b"\x9a\xca\xc8\xb2\x12\x34\xda\x8f"].contains(&read_string(block)),
            place => !matches!(self.field(place), Field::Other),
        };
        match read_string(block) {
            // The second is the first in Huffman's code.
            b"0" | b"\x07" if is_status => Field::StatusOk,
            _ if is_status => Field::OtherStatus,
            _ => Field::Other,
        }
    }
}

/// A string as it stands there, in Huffman's code or not.
fn read_string<'a>(block: &mut &'a [u8]) -> &'a [u8] {
    let length = read_integer(block, 7);
    let (string, rest) = block.split_at(length);
    *block = rest;
    string
}

fn read_integer(block: &mut &[u8], bits: u8) -> usize {
    let mut next = || *block.split_off_first().unwrap();
    let most = (1 << bits) - 1;
    let mut value = usize::from(next()) & most;
    if value < most {
        return value;
    }
    for shift in (0..).step_by(7) {
        let byte = next();
        value += usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}
