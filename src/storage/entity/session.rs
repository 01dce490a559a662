use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub account_id: Uuid,
    pub provider: String,
    pub caller_group: String,
    pub epoch: i64,
    pub authenticated_at: i64,
    pub expires_at: i64,
    pub ended_at: Option<i64>,
    pub end_reason: Option<String>,
    #[sea_orm(unique)]
    pub grant_hash: Vec<u8>,
    pub grant_expires_at: i64,
    #[sea_orm(unique)]
    pub request_key: Option<Vec<u8>>,
    pub request_fingerprint: Option<Vec<u8>>,
    pub redeemed_at: Option<i64>,
    pub redemption_key: Option<Vec<u8>>,
    pub redemption_fingerprint: Option<Vec<u8>>,
    pub refresh_hash: Option<Vec<u8>>,
    pub previous_hash: Option<Vec<u8>>,
    pub generation: i64,
    pub salt: Option<Vec<u8>>,
    pub rotated_at: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub audiences: String,
    #[sea_orm(column_type = "Text")]
    pub claims: String,
    pub claims_role: Option<String>,
    pub pending: Option<Vec<u8>>,
    pub idle_ttl: Option<i64>,
    pub max_age: Option<i64>,
    pub version: i64,
    pub refresh_count: i64,
    pub ip_address: Option<String>,
    pub predecessors: Option<Vec<u8>>,
    #[sea_orm(column_type = "Text", nullable)]
    pub granted_audiences: Option<String>,
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
