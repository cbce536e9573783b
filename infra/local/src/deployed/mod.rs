//! The operator's commands for a deployed stack: `apply`, `outputs`, `doctor`, `redrive`.

mod addresses;
pub mod apply;
mod aws;
pub mod doctor;
pub mod outputs;
pub mod redrive;
mod signature;
mod stack;
mod terminal;
mod trouble;

use clap::Args;
use shared_vendors::guard::Guard;

use self::aws::Aws;
use self::stack::Stack;
use self::trouble::Trouble;

/// Which stack.
#[derive(Debug, Clone, Args)]
pub struct Target {
    /// The stack's name, as it was given to `sam deploy`.
    #[arg(long)]
    stack: String,
    /// The AWS region, when the environment or the profile names another or none.
    #[arg(long)]
    region: Option<String>,
}

impl Target {
    /// The account, reached.
    async fn aws(&self) -> Result<Aws, Trouble> {
        Aws::find(self.region.as_deref(), Guard::new(crate::allows_insecure())).await
    }

    /// The account and the stack in it.
    async fn find(&self) -> Result<(Aws, Stack), Trouble> {
        let aws = self.aws().await?;
        let stack = Stack::find(&aws, &self.stack).await?;
        Ok((aws, stack))
    }
}
