//! The permission that the option `(gatepass.v1.permission)` of each method declares.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, ServiceDescriptor};

use crate::names::upper_camel;

const PACKAGE: &str = "gatepass.v1";
const OPTION: &str = "gatepass.v1.permission";

/// Rust source: a constant that lists all methods, and a function that finds one by its path.
pub(crate) fn rust(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
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
    Ok(upper_camel(name.name().trim_start_matches("PERMISSION_")))
}
