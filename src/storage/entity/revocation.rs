use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "revocations")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub kind: String,
    pub subject: Uuid,
    pub min_epoch: Option<i64>,
    pub reason: Option<String>,
    pub until: i64,
}

impl ActiveModelBehavior for ActiveModel {}
