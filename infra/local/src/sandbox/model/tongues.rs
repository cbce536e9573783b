//! The words by which the scripted assistant understands and answers, in four languages.

/// Words that ask for a person, in any of the languages.
pub const PERSON: [&str; 24] = [
    "human",
    "person",
    "agent",
    "operator",
    "representative",
    "someone",
    "somebody",
    "colleague",
    "mensch",
    "menschen",
    "jemand",
    "jemanden",
    "jemandem",
    "mitarbeiter",
    "mitarbeiterin",
    "persona",
    "humano",
    "humana",
    "agente",
    "alguien",
    "humain",
    "humaine",
    "personne",
    "conseiller",
];
/// Words of somebody who has had enough.
pub const ANGRY: [&str; 10] = [
    "unacceptable",
    "furious",
    "terrible",
    "outrageous",
    "unverschämt",
    "unverschämtheit",
    "furchtbar",
    "inaceptable",
    "inadmissible",
    "scandaleux",
];
/// Words about an order.
pub const ORDER: [&str; 16] = [
    "order",
    "orders",
    "delivery",
    "package",
    "parcel",
    "bestellung",
    "lieferung",
    "paket",
    "pedido",
    "envío",
    "paquete",
    "entrega",
    "commande",
    "livraison",
    "colis",
    "tracking",
];
/// Words that greet.
pub const GREETING: [&str; 16] = [
    "hi", "hello", "hey", "morning", "hallo", "moin", "servus", "tag", "hola", "buenos", "buenas", "bonjour",
    "salut", "bonsoir", "good", "guten",
];

/// One language: how it is recognised and what is said in it. `{}` stands for the order's number or the customer's
/// own words.
pub struct Tongue {
    /// BCP-47.
    pub tag: &'static str,
    /// Words that give the language away.
    pub marks: &'static [&'static str],
    /// Said to a greeting.
    pub greeting: &'static str,
    /// Said about an order.
    pub order: &'static str,
    /// Asks for the number.
    pub which_order: &'static str,
    /// Said to what is unclear.
    pub ask_back: &'static str,
    /// Said to everything else.
    pub other: &'static str,
    /// Said at a hand-off.
    pub person: &'static str,
}

/// The languages; the first is spoken where none is recognised.
pub const TONGUES: [Tongue; 4] = [
    Tongue {
        tag: "en",
        marks: &[
            "the", "is", "my", "where", "hi", "hello", "i", "you", "please", "order", "a", "can", "human",
        ],
        greeting: "Hello! How can I help you today?",
        order: "Order {} is packed and leaves our shop today. You should have it within two days.",
        which_order: "I'll gladly look that up. What is the number of your order?",
        ask_back: "Could you tell me a little more about “{}”?",
        other: "Thanks for telling me: “{}”. I can look up orders; for anything else, write “human” and a colleague \
                takes over.",
        person: "Of course. A colleague will take over and answer you here.",
    },
    Tongue {
        tag: "de",
        marks: &[
            "der",
            "die",
            "das",
            "ist",
            "meine",
            "wo",
            "hallo",
            "ich",
            "sie",
            "bitte",
            "bestellung",
            "und",
            "ein",
            "einen",
            "mensch",
            "menschen",
            "jemand",
            "nicht",
            "mit",
            "moin",
            "guten",
            "wann",
            "kommt",
        ],
        greeting: "Hallo! Wie kann ich Ihnen helfen?",
        order: "Bestellung {} ist gepackt und verlässt heute unseren Laden. In zwei Tagen sollte sie bei Ihnen sein.",
        which_order: "Das sehe ich gern nach. Welche Nummer hat Ihre Bestellung?",
        ask_back: "Können Sie mir etwas mehr zu „{}“ sagen?",
        other: "Danke für Ihre Nachricht: „{}“. Ich kann Bestellungen nachsehen; für alles andere schreiben Sie \
                „Mensch“, dann übernimmt eine Kollegin oder ein Kollege.",
        person: "Gern. Eine Kollegin oder ein Kollege übernimmt und antwortet Ihnen hier.",
    },
    Tongue {
        tag: "es",
        marks: &[
            "el", "la", "es", "mi", "dónde", "donde", "hola", "yo", "por", "favor", "pedido", "está", "una",
            "persona", "quiero", "con", "hablar", "buenos", "buenas",
        ],
        greeting: "¡Hola! ¿En qué puedo ayudarle?",
        order: "El pedido {} está preparado y sale hoy de nuestra tienda. Debería recibirlo en dos días.",
        which_order: "Lo miro con gusto. ¿Cuál es el número de su pedido?",
        ask_back: "¿Puede contarme un poco más sobre «{}»?",
        other: "Gracias por su mensaje: «{}». Puedo consultar pedidos; para lo demás escriba «persona» y le atenderá \
                alguien de nuestro equipo.",
        person: "Por supuesto. Una persona de nuestro equipo le responderá aquí.",
    },
    Tongue {
        tag: "fr",
        marks: &[
            "le", "les", "est", "ma", "où", "bonjour", "je", "vous", "commande", "un", "une", "humain",
            "humaine", "avec", "parler", "veux", "salut", "bonsoir", "mon",
        ],
        greeting: "Bonjour ! Comment puis-je vous aider ?",
        order: "La commande {} est prête et quitte notre magasin aujourd’hui. Vous devriez la recevoir sous deux jours.",
        which_order: "Je regarde volontiers. Quel est le numéro de votre commande ?",
        ask_back: "Pouvez-vous m’en dire un peu plus sur « {} » ?",
        other: "Merci pour votre message : « {} ». Je peux consulter les commandes ; pour le reste, écrivez « humain » \
                et une personne de notre équipe prendra le relais.",
        person: "Bien sûr. Une personne de notre équipe vous répondra ici.",
    },
];
