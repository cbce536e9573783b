//! The addresses under which a deployed line is called: the stack's own, or those of a custom domain before it.

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use super::stack::Stack;
use super::trouble::Trouble;

/// Where Meta and Creatio call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The API's own.
    pub api: String,
    /// What Meta calls.
    pub whatsapp: String,
    /// What Creatio's business processes call, before the token.
    pub creatio: String,
}

impl Addresses {
    /// The stack's addresses. `api` is what stands before it, such as a custom domain.
    pub fn of(stack: &Stack, api: Option<&str>) -> Result<Self, Trouble> {
        Ok(match api.map(|api| api.trim_end_matches('/')) {
            Some(api) => Self {
                api: api.to_owned(),
                whatsapp: format!("{api}/webhooks/whatsapp"),
                creatio: format!("{api}/webhooks/creatio"),
            },
            None => Self {
                api: stack.output("ApiUrl")?.trim_end_matches('/').to_owned(),
                whatsapp: stack.output("WhatsappWebhookUrl")?.to_owned(),
                creatio: stack.output("CreatioWebhookUrl")?.trim_end_matches('/').to_owned(),
            },
        })
    }

    /// The whole address with its token, which makes it a secret.
    pub fn creatio_with(&self, token: &SecretString) -> Result<SecretString, Trouble> {
        let bad = || Trouble(format!("the output CreatioWebhookUrl is no address: {}", self.creatio));
        let mut url = Url::parse(&self.creatio).map_err(|_| bad())?;
        // One segment, so that no token can lead elsewhere.
        url.path_segments_mut().map_err(|()| bad())?.push(token.expose_secret());
        Ok(SecretString::from(url.to_string()))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::deployed::stack::tests::stack;

    pub(in crate::deployed) const OUTPUTS: [(&str, &str); 3] = [
        ("ApiUrl", "https://api.example"),
        ("WhatsappWebhookUrl", "https://api.example/webhooks/whatsapp"),
        ("CreatioWebhookUrl", "https://api.example/webhooks/creatio"),
    ];

    #[test]
    fn a_custom_domain_takes_the_place_of_the_stacks_address() {
        let own = Addresses::of(&stack(&OUTPUTS), None).unwrap();
        let custom = Addresses::of(&stack(&[]), Some("https://line.example/")).unwrap();
        assert_eq!(own.whatsapp, "https://api.example/webhooks/whatsapp");
        assert_eq!(custom.whatsapp, "https://line.example/webhooks/whatsapp");
        assert_eq!(custom.creatio, "https://line.example/webhooks/creatio");
    }

    #[test]
    fn a_token_is_one_segment_and_is_not_shown() {
        let own = Addresses::of(&stack(&OUTPUTS), None).unwrap();
        let whole = own.creatio_with(&SecretString::from("a/../b?c")).unwrap();
        assert_eq!(whole.expose_secret(), "https://api.example/webhooks/creatio/a%2F..%2Fb%3Fc");
        assert!(!format!("{whole:?}").contains("a%2F"));
    }
}
