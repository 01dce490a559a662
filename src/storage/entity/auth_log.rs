use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_logs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub created_at: i64,
    pub action: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub user_id: Option<Uuid>,
    pub email: Option<String>,
    pub provider: Option<String>,
    pub session_id: Option<Uuid>,
    pub caller: String,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: String,
}

impl ActiveModelBehavior for ActiveModel {}
