//! How each secret is named: the stack, whose it is, what it is for.

use std::fmt;

use shared::OrgId;

/// A secret of the stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// What proves that a webhook comes from Meta, of every app: `{stack}/whatsapp-webhooks`.
    WhatsappWebhooks,
    /// The tokens that send from an organisation's numbers: `{stack}/{org}/whatsapp`.
    Whatsapp(OrgId),
    /// An organisation's Creatio client secret: `{stack}/{org}/creatio`.
    Creatio(OrgId),
    /// An organisation's model key: `{stack}/{org}/model`.
    Model(OrgId),
}

impl Name {
    /// The name within a stack.
    #[must_use]
    pub fn within(&self, stack: &str) -> String {
        format!("{stack}/{self}")
    }

    /// The secret that has this name within the stack; `None` for a name that this version gives to nothing.
    #[must_use]
    pub fn read(stack: &str, name: &str) -> Option<Self> {
        let name = name.strip_prefix(stack)?.strip_prefix('/')?;
        let Some((org, kind)) = name.split_once('/') else {
            return (name == "whatsapp-webhooks").then_some(Self::WhatsappWebhooks);
        };
        let org = OrgId::new(org).ok()?;
        match kind {
            "whatsapp" => Some(Self::Whatsapp(org)),
            "creatio" => Some(Self::Creatio(org)),
            "model" => Some(Self::Model(org)),
            _ => None,
        }
    }

    /// Whose it is; `None` for what belongs to the whole stack.
    #[must_use]
    pub fn org(&self) -> Option<&OrgId> {
        match self {
            Self::WhatsappWebhooks => None,
            Self::Whatsapp(org) | Self::Creatio(org) | Self::Model(org) => Some(org),
        }
    }
}

/// Without the stack.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WhatsappWebhooks => f.write_str("whatsapp-webhooks"),
            Self::Whatsapp(org) => write!(f, "{org}/whatsapp"),
            Self::Creatio(org) => write!(f, "{org}/creatio"),
            Self::Model(org) => write!(f, "{org}/model"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_what_it_was_written_for() {
        let org = || OrgId::new("acme").unwrap();
        let all = [
            (Name::WhatsappWebhooks, "line-1/whatsapp-webhooks"),
            (Name::Whatsapp(org()), "line-1/acme/whatsapp"),
            (Name::Creatio(org()), "line-1/acme/creatio"),
            (Name::Model(org()), "line-1/acme/model"),
        ];
        for (name, text) in all {
            assert_eq!((name.within("line-1").as_str(), Name::read("line-1", text)), (text, Some(name)));
        }
        for other in ["line-1", "line-1/", "line-10/acme/model", "line-1/acme/mail", "line-1/a/b/model"] {
            assert_eq!(Name::read("line-1", other), None, "{other}");
        }
    }
}
