use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "used_marks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub mark: Vec<u8>,
    pub expires_at: i64,
    pub request_key: Option<Vec<u8>>,
    pub request_fingerprint: Option<Vec<u8>>,
    pub busy_until: Option<i64>,
    pub repeat_until: Option<i64>,
    pub outcome: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
