//! The forms of a secret: a literal, `{env: NAME}` or `{file: PATH}` (relative to the working directory; one trailing
//! line end is dropped). No fault contains a secret. The name of a missing variable or file is reported only if it can
//! hardly be the secret itself.

use super::read::Setting;
use super::tree::Value;
use secrecy::SecretString;
use std::path::Path;
use zeroize::Zeroizing;

impl Setting<'_> {
    /// Reads a secret that is not empty.
    pub(in crate::config) fn secret(self) -> Option<SecretString> {
        let setting = self.flow_if("{", "{env: NAME} or {file: PATH}")?;
        let Value::Map(entries) = &setting.value else {
            return setting.text().map(SecretString::from);
        };
        let source = match entries.as_slice() {
            [(key, node)] => match &node.value {
                Value::Text(name) if key == "env" => return setting.secret_of_variable(name),
                Value::Text(path) if key == "file" => return setting.secret_of_file(path),
                Value::Variable(name) if key == "env" => return setting.secret_of_variable(name),
                Value::Variable(path) if key == "file" => return setting.secret_of_file(path),
                _ => "takes a literal (in quotes), {env: NAME} or {file: PATH}",
            },
            _ => "takes a literal (in quotes), or one of {env: NAME} and {file: PATH}",
        };
        setting.refuse(source)
    }

    fn secret_of_variable(&self, name: &str) -> Option<SecretString> {
        let message = match self.cx.variables.get(name).map(|value| value.to_str()) {
            Some(Some("")) => "is empty",
            Some(Some(text)) => return Some(SecretString::from(text)),
            Some(None) => "is not text; write the secret in base64 or hex",
            None if is_variables_name(name) => "is not set",
            None => return self.refuse("env takes the name of a variable that is set, not the secret"),
        };
        self.refuse(format!("the variable {name} {message}"))
    }

    fn secret_of_file(&self, path: &str) -> Option<SecretString> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if is_surely_a_path(path) => {
                return self.refuse(format!("the file {path} cannot be read: {}", error.kind()));
            }
            Err(error) => {
                return self.refuse(format!(
                    "file takes the path of a file, not the secret; no such file can be read: {}",
                    error.kind()
                ));
            }
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return self.refuse(format!("the file {path} is not text; write the secret in base64 or hex"));
        };
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
        if text.is_empty() {
            return self.refuse(format!("the file {path} is empty"));
        }
        Some(SecretString::from(text))
    }
}

/// Returns true if text looks like the name of a variable. Only then is it quoted, since it could be the secret itself.
fn is_variables_name(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && text.starts_with(|first: char| !first.is_ascii_digit())
}

/// Returns true if text looks like a path. A slash within it proves nothing: base64 has slashes.
fn is_surely_a_path(text: &str) -> bool {
    text.starts_with(['/', '.']) || Path::new(text).exists()
}
