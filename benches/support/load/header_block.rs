//! Header blocks (HPACK, RFC 7541). The client builds its blocks once per connection; of the server's blocks only
//! `grpc-status` matters.

use std::collections::VecDeque;

/// The index of the first field in the dynamic table.
const STATIC_FIELDS: usize = 61;
/// The maximum number of fields in the table of 4096 bytes, since each field counts its own length and 32 bytes.
const MOST_FIELDS: usize = 4096 / 32;

/// Builds the header blocks of the first request on a connection, which fills the server's table, and of all later
/// ones.
pub fn request(path: &str, key: &str) -> [Vec<u8>; 2] {
    // `:method: POST` and `:scheme: http` from the static table.
    let mut first = vec![0x83, 0x86];
    let mut again = first.clone();
    let authorization = format!("Bearer {key}");
    // Names by index in the static table: `:path`, `:authority`, `content-type`, `user-agent`, `authorization`.
    let known = [(4, path), (1, "127.0.0.1"), (31, "application/grpc"), (58, "load"), (23, &authorization)];
    for (name, value) in known {
        integer(&mut first, 6, 0x40, name);
        string(&mut first, value);
    }
    first.push(0x40);
    string(&mut first, "te");
    string(&mut first, "trailers");
    // The newest field has the lowest index; `:path` must precede the fields without a colon.
    for place in (1..=known.len() + 1).rev() {
        integer(&mut again, 7, 0x80, STATIC_FIELDS + place);
    }
    [first, again]
}

fn string(out: &mut Vec<u8>, text: &str) {
    integer(out, 7, 0, text.len());
    out.extend_from_slice(text.as_bytes());
}

/// Encodes an integer; its first byte has this pattern and a prefix of this many bits (5.1).
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

/// Reads the server's header blocks, in the order of the connection.
#[derive(Default)]
pub struct Reader {
    /// The dynamic table, newest first.
    fields: VecDeque<Field>,
}

impl Reader {
    /// Checks if a block has `grpc-status: 0`.
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
            // The second value is the first in Huffman code.
            b"0" | b"\x07" if is_status => Field::StatusOk,
            _ if is_status => Field::OtherStatus,
            _ => Field::Other,
        }
    }
}

/// Reads a string, which may be in Huffman code.
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
