//! The specifications of the services of `gatepass.v1`, with the permission that the option `(gatepass.v1.permission)` of
//! each method declares.

use std::error::Error;
use std::fmt::Write as _;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, MethodDescriptor, ServiceDescriptor};

use crate::names::{shouty_snake, upper_camel};

const PACKAGE: &str = "gatepass.v1";
const OPTION: &str = "gatepass.v1.permission";

/// The methods that wait for a provider, and may take twice the others' time.
const WAITS_FOR_PROVIDER: [&str; 2] =
    ["gatepass.v1.AuthService.BeginSignIn", "gatepass.v1.AuthService.SignIn"];

/// Rust source: a `ServiceSpec` for each service, and a constant that lists them.
pub(crate) fn rust(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let option =
        pool.get_extension_by_name(OPTION).ok_or_else(|| format!("no proto file declares {OPTION}"))?;
    let services: Vec<ServiceDescriptor> =
        pool.services().filter(|service| service.package_name() == PACKAGE).collect();
    let methods = || services.iter().flat_map(ServiceDescriptor::methods);
    for patient in WAITS_FOR_PROVIDER {
        if !methods().any(|method| method.full_name() == patient) {
            return Err(format!("no proto file declares the method {patient}").into());
        }
    }
    let (mut specs, mut names) = (String::new(), Vec::new());
    for service in &services {
        let name = shouty_snake(service.name());
        write!(
            specs,
            "/// `{full_name}`.\npub static {name}: ServiceSpec = ServiceSpec {{\n    \
                 prefix: \"/{full_name}/\",\n    methods: &[\n",
            full_name = service.full_name(),
        )?;
        for method in service.methods() {
            writeln!(
                specs,
                "        MethodSpec {{ name: {:?}, access: Access::Caller(Permission::{}), kind: MethodKind::{}, timeouts: {} }},",
                method.name(),
                permission(&method, &option)?,
                kind(&method)?,
                if WAITS_FOR_PROVIDER.contains(&method.full_name()) { 2 } else { 1 },
            )?;
        }
        specs.push_str(
            "    ],\n    errors: ErrorEncoding::Status,\n    max_message_bytes: None,\n    \
                 descriptors: FILE_DESCRIPTOR_SET,\n};\n\n",
        );
        names.push(format!("&{name}"));
    }
    let (count, names) = (names.len(), names.join(", "));
    Ok(format!(
        "{specs}/// Every service of `{PACKAGE}`.\npub const SERVICES: [&ServiceSpec; {count}] = [{names}];\n"
    ))
}

/// The variant of `MethodKind` that a method is.
fn kind(method: &MethodDescriptor) -> Result<&'static str, Box<dyn Error>> {
    match (method.is_client_streaming(), method.is_server_streaming()) {
        (false, false) => Ok("Unary"),
        (false, true) => Ok("ServerStream"),
        (true, true) => Ok("BidiStream"),
        (true, false) => {
            Err(format!("{}: the layers know no stream of requests alone", method.full_name()).into())
        }
    }
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
