//! The messages of `AdminService`.

use super::read::Fields;
use crate::auth::{Result, UpdateUserRequest, UserChange, UserKey};
use crate::grpc::proto::v1::{self, get_user_request};
use crate::model::{Email, UserId};

const MAX_TEXT: usize = 512;
const MAX_ROLE: usize = 64;
const MAX_URL: usize = 2048;

pub(crate) fn read_user_key(message: v1::GetUserRequest) -> Result<UserKey> {
    let mut fields = Fields::default();
    let key = match message.key {
        Some(get_user_request::Key::UserId(id)) => fields.parsed("user_id", &id).map(UserKey::Id),
        Some(get_user_request::Key::Email(text)) => Email::parse(&text)
            .map_err(|fault| fields.fault("email", fault.to_string()))
            .ok()
            .map(UserKey::Email),
        None => {
            fields.fault("key", "one of user_id and email is required");
            None
        }
    };
    fields.finish(key)
}

pub(crate) fn read_user_update(message: v1::UpdateUserRequest) -> Result<UpdateUserRequest> {
    let mut fields = Fields::default();
    let user = message.user.unwrap_or_default();
    let id: Option<UserId> = fields.parsed("user.id", &user.id);
    let paths = message.update_mask.unwrap_or_default().paths;
    if paths.is_empty() {
        fields.fault("update_mask", "must name at least one field of user");
    }
    let mut change = UserChange::default();
    for path in &paths {
        read_change(&mut fields, path, &user, &mut change);
    }
    let etag = (!user.etag.is_empty()).then_some(user.etag);
    fields.finish(id.map(|id| UpdateUserRequest { id, etag, change }))
}

fn read_change(fields: &mut Fields, path: &str, user: &v1::User, change: &mut UserChange) {
    match path {
        "name" => change.name = Some(fields.optional_text("user.name", user.name.as_deref(), MAX_TEXT)),
        "image" => change.image = Some(fields.optional_text("user.image", user.image.as_deref(), MAX_URL)),
        "email" => {
            let text = user.email.as_deref().filter(|text| !text.is_empty());
            let email = text.map(|text| {
                Email::parse(text).map_err(|fault| fields.fault("user.email", fault.to_string())).ok()
            });
            change.email = Some(email.flatten());
        }
        "role" => {
            if user.role.trim().is_empty() {
                fields.fault("user.role", "must not be empty");
            }
            change.role = Some(fields.text("user.role", &user.role, MAX_ROLE));
        }
        "banned" => change.banned = Some(user.banned),
        "ban_reason" => {
            change.ban_reason =
                Some(fields.optional_text("user.ban_reason", user.ban_reason.as_deref(), MAX_TEXT));
        }
        "ban_expires_at" => {
            let end = user.ban_expires_at.map(|end| fields.timestamp("user.ban_expires_at", end));
            change.ban_expires_at = Some(end.flatten());
        }
        _ => fields.fault(
            "update_mask",
            "must contain only name, image, email, role, banned, ban_reason and ban_expires_at",
        ),
    }
}
