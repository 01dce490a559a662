//! The whole way at once, for programs that link Gatepass.

use tokio_util::sync::CancellationToken;

use super::builder::App;
use super::fault::StartFault;
use crate::auth::Callbacks;
use crate::config::Config;

/// Serves a Gatepass of this configuration and these callbacks until `shutdown`.
pub async fn serve(
    config: Config,
    callbacks: impl Callbacks,
    shutdown: CancellationToken,
) -> Result<(), StartFault> {
    App::new(config).callbacks(callbacks).bind().await?.run(shutdown).await
}
