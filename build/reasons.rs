//! The reasons of errors and of denials, as plain enums for code that knows no protobuf.

use std::error::Error;
use std::fmt::Write as _;

use prost_reflect::{DescriptorPool, FileDescriptor};

use crate::names::upper_camel;

/// Rust source: `Reason` and `DenialReason`, with the names, numbers and comments of the proto enums.
pub(crate) fn rust(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let reasons = plain_enum(pool, "gatepass.v1.ErrorReason", "Reason", "ERROR_REASON_")?;
    let denials = plain_enum(pool, "gatepass.v1.DenialReason", "DenialReason", "DENIAL_REASON_")?;
    Ok(format!("{reasons}\n{denials}"))
}

/// One enum. The value 0 is left out: it says that nothing was said.
fn plain_enum(
    pool: &DescriptorPool,
    full_name: &str,
    rust_name: &str,
    prefix: &str,
) -> Result<String, Box<dyn Error>> {
    let proto =
        pool.get_enum_by_name(full_name).ok_or_else(|| format!("no proto file declares {full_name}"))?;
    let (mut variants, mut all) = (String::new(), String::new());
    let (mut names, mut values) = (String::new(), String::new());
    for value in proto.values().filter(|value| value.number() != 0) {
        let name = value.name().strip_prefix(prefix);
        let name = name.ok_or_else(|| format!("{} does not begin with {prefix}", value.full_name()))?;
        let variant = upper_camel(name);
        let doc = doc(&value.parent_enum().parent_file(), value.path(), "    ");
        writeln!(variants, "{doc}    {variant} = {},", value.number())?;
        write!(all, "Self::{variant}, ")?;
        writeln!(names, "            Self::{variant} => {name:?},")?;
        writeln!(values, "            {name:?} => Some(Self::{variant}),")?;
    }
    let doc = doc(&proto.parent_file(), proto.path(), "");
    Ok(format!(
        "{doc}#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\n#[repr(i32)]\npub enum {rust_name} {{\n{variants}}}\n\n\
         impl {rust_name} {{\n    \
             /// Every value there is.\n    \
             pub const ALL: &[Self] = &[{all}];\n\n    \
             /// Its name: that of the proto enum without its prefix.\n    \
             #[must_use]\n    \
             pub const fn name(self) -> &'static str {{\n        match self {{\n{names}        }}\n    }}\n\n    \
             /// Its number in the proto enum.\n    \
             #[must_use]\n    \
             pub const fn number(self) -> i32 {{\n        self as i32\n    }}\n\n    \
             /// The value of that name.\n    \
             #[must_use]\n    \
             pub fn from_name(name: &str) -> Option<Self> {{\n        match name {{\n{values}            _ => None,\n        }}\n    }}\n\
         }}\n"
    ))
}

/// The comment that leads an element of a file, as rustdoc.
fn doc(file: &FileDescriptor, path: &[i32], indent: &str) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    let comment = location.map_or("", |location| location.leading_comments());
    comment.trim_end().lines().fold(String::new(), |doc, line| doc + indent + "/// " + line.trim() + "\n")
}
