//! Compiles the protocol: Rust code, the descriptor set that reflection serves, and the table of permissions that the
//! option `(gatepass.v1.permission)` of each method declares. And lists the presets of providers.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::{
    DescriptorPool, ExtensionDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor,
};

const ROOT: &str = "proto";
const PACKAGE: &str = "gatepass.v1";
const OPTION: &str = "gatepass.v1.permission";
const PRESETS: &str = "src/config/providers/presets";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={ROOT}");
    println!("cargo:rerun-if-changed={PRESETS}");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new([ROOT])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(Path::new(ROOT))?)?;
    // Encoded by protox: prost's own types would lose our method option.
    fs::write(out.join("gatepass.binpb"), compiler.encode_file_descriptor_set())?;
    let pool = compiler.descriptor_pool();
    fs::write(out.join("permissions.rs"), permissions(&pool)?)?;

    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .skip_debug(with_secrets(&pool))
        .compile_fds(compiler.file_descriptor_set())?;
    fs::write(out.join("presets.rs"), presets()?)?;
    Ok(())
}

/// Rust source: a constant that lists each preset by the name of its file, with its text.
fn presets() -> Result<String, Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join(PRESETS);
    let files =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>();
    let mut files = files?;
    files.sort();
    let mut list = String::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        writeln!(list, "    ({name:?}, include_str!({:?})),", file.to_string_lossy())?;
    }
    Ok(format!(
        "/// Every preset: its name, and its text in YAML.\npub(super) const PRESETS: &[(&str, &str)] = &[\n{list}];\n"
    ))
}

/// Every `.proto` file below a folder, in an order that does not depend on the machine.
fn proto_files(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The messages with a field that is marked `debug_redact`: they get no derived `Debug`, `src/grpc/redact.rs` gives
/// them one that tells nothing.
fn with_secrets(pool: &DescriptorPool) -> Vec<String> {
    let secret = |message: &MessageDescriptor| {
        message.fields().any(|field| {
            let options = field.options();
            options.get_field_by_name("debug_redact").is_some_and(|mark| mark.as_bool() == Some(true))
        })
    };
    pool.all_messages().filter(secret).map(|message| format!(".{}", message.full_name())).collect()
}

/// Rust source: a constant that lists all methods, and a function that finds one by its path.
fn permissions(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let option =
        pool.get_extension_by_name(OPTION).ok_or_else(|| format!("no proto file declares {OPTION}"))?;
    let services: Vec<ServiceDescriptor> =
        pool.services().filter(|service| service.package_name() == PACKAGE).collect();

    let mut list = String::new();
    let mut arms = String::new();
    for service in &services {
        let mut methods = BTreeMap::<String, Vec<String>>::new();
        for method in service.methods() {
            let permission = permission(&method, &option)?;
            writeln!(
                list,
                "    (\"/{}/{}\", Permission::{permission}),",
                service.full_name(),
                method.name()
            )?;
            methods.entry(permission).or_default().push(format!("\"{}\"", method.name()));
        }
        writeln!(arms, "        \"{}\" => match method {{", service.name())?;
        for (permission, methods) in methods {
            writeln!(arms, "            {} => Some(Permission::{permission}),", methods.join(" | "))?;
        }
        writeln!(arms, "            _ => None,\n        }},")?;
    }
    Ok(format!(
        "/// Every method of `{PACKAGE}` by its full path, with the permission that its proto option asks for.\n\
         pub const METHODS: &[(&str, Permission)] = &[\n{list}];\n\n\
         /// The permission that a method of `{PACKAGE}` asks for, by its full path; none for a path that is no such\n\
         /// method.\n\
         #[must_use]\n\
         pub fn permission_of(path: &str) -> Option<Permission> {{\n    \
             let (service, method) = path.strip_prefix(\"/{PACKAGE}.\")?.split_once('/')?;\n    \
             match service {{\n{arms}        _ => None,\n    }}\n}}\n"
    ))
}

/// The variant of `crate::model::Permission` that a method declares: `PERMISSION_SIGN_IN` is `SignIn`.
fn permission(method: &MethodDescriptor, option: &ExtensionDescriptor) -> Result<String, Box<dyn Error>> {
    let options = method.options();
    let number = options.get_extension(option).as_enum_number().filter(|number| *number != 0);
    let kind = option.kind();
    let name = number.and_then(|number| kind.as_enum()?.get_value(number)).ok_or_else(|| {
        format!("{} has no option ({OPTION}): say which permission its callers need", method.full_name())
    })?;
    let words = name.name().trim_start_matches("PERMISSION_").split('_');
    Ok(words.map(|word| word[..1].to_owned() + &word[1..].to_ascii_lowercase()).collect())
}
