//! What the customer is told at a hand-off when the model has no words of its own, in their language.

/// The notice in `language` (a BCP-47 tag), in English when we have no words for it.
#[must_use]
pub fn for_language(language: Option<&str>) -> &'static str {
    match primary(language) {
        "ar" => "شكرًا على رسالتك. سيتابع أحد زملائنا معك هنا.",
        "de" => "Danke für Ihre Nachricht. Eine Kollegin oder ein Kollege meldet sich hier bei Ihnen.",
        "es" => "Gracias por su mensaje. Una persona de nuestro equipo le responderá aquí.",
        "fr" => "Merci pour votre message. Une personne de notre équipe vous répondra ici.",
        "it" => "Grazie per il suo messaggio. Una persona del nostro team le risponderà qui.",
        "ja" => "メッセージをありがとうございます。担当者がこちらでお返事いたします。",
        "nl" => "Bedankt voor uw bericht. Een collega antwoordt u hier.",
        "pl" => "Dziękujemy za wiadomość. Osoba z naszego zespołu odpowie tutaj.",
        "pt" => "Obrigado pela sua mensagem. Uma pessoa da nossa equipe responderá aqui.",
        "ru" => "Спасибо за сообщение. Наш сотрудник ответит вам здесь.",
        "tr" => "Mesajınız için teşekkürler. Ekibimizden biri size buradan yanıt verecek.",
        "uk" => "Дякуємо за повідомлення. Наш співробітник відповість вам тут.",
        "zh" => "感谢您的留言,我们的同事会在这里回复您。",
        _ => "Thank you for your message. A colleague will answer you here.",
    }
}

fn primary(language: Option<&str>) -> &str {
    language.and_then(|tag| tag.split(['-', '_']).next()).unwrap_or("en")
}

/// The language of a text, if it is long enough and clear enough to be sure.
///
/// Short words are guessed badly ("ok" is taken for Hungarian), so under 20 letters nothing is said; where each letter
/// is a word, 8 are enough. A text is in one of our languages when it is likelier than all languages known, and clear
/// among ours: the detector alone calls half of the ordinary Spanish sentences unsure, and among ours alone it takes
/// Hungarian for Dutch.
#[must_use]
pub fn language_of(text: &str) -> Option<&'static str> {
    if text.chars().filter(|c| c.is_alphabetic()).count() < letters_needed(text) {
        return None;
    }
    let ours = whatlang::Detector::with_allowlist(KNOWN.map(|(lang, _)| lang).to_vec());
    let (among_all, among_ours) = (whatlang::detect(text)?, ours.detect(text)?);
    let sure = among_all.lang() == among_ours.lang() && among_ours.confidence() >= CLEAR;
    sure.then(|| two_letters(among_all.lang())).flatten()
}

/// How clear a language must stand out among ours; measured on sentences of 30 to 70 letters.
const CLEAR: f64 = 0.4;

fn letters_needed(text: &str) -> usize {
    use whatlang::Script::{Hiragana, Katakana, Mandarin};
    match whatlang::detect_script(text) {
        Some(Mandarin | Hiragana | Katakana) => 8,
        _ => 20,
    }
}

/// The languages that we have words in.
const KNOWN: [(whatlang::Lang, &str); 14] = {
    use whatlang::Lang;
    [
        (Lang::Ara, "ar"),
        (Lang::Cmn, "zh"),
        (Lang::Deu, "de"),
        (Lang::Eng, "en"),
        (Lang::Fra, "fr"),
        (Lang::Ita, "it"),
        (Lang::Jpn, "ja"),
        (Lang::Nld, "nl"),
        (Lang::Pol, "pl"),
        (Lang::Por, "pt"),
        (Lang::Rus, "ru"),
        (Lang::Spa, "es"),
        (Lang::Tur, "tr"),
        (Lang::Ukr, "uk"),
    ]
};

fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
    KNOWN.iter().find(|(known, _)| *known == lang).map(|(_, tag)| *tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_does_not_matter_and_an_unknown_language_gets_english() {
        assert_eq!(for_language(Some("de-AT")), for_language(Some("de")));
        assert_eq!(for_language(Some("xx")), for_language(None));
    }

    #[test]
    fn short_texts_are_not_guessed() {
        assert_eq!(language_of("ok"), None);
        assert_eq!(language_of("Ja, danke"), None);
        assert_eq!(language_of(""), None);
    }

    #[test]
    fn ordinary_sentences_are_recognised() {
        for (tag, text) in [
            ("ar", "نعم طلبي لم يصل بعد وأريد المساعدة"),
            ("de", "Meine Bestellung ist immer noch nicht angekommen, was ist da los?"),
            ("en", "Where is my order, it has not arrived"),
            ("es", "Mi pedido no ha llegado todavía y necesito una respuesta hoy mismo."),
            ("es", "Hola, quisiera hablar con una persona por favor"),
            ("fr", "Je voudrais parler à un humain s'il vous plaît"),
            ("it", "Il mio ordine non è ancora arrivato"),
            ("ja", "注文した商品がまだ届いていません"),
            ("nl", "Waar is mijn bestelling gebleven, ik wacht al een week"),
            ("pl", "Gdzie jest moje zamówienie, jeszcze nie dotarło"),
            ("pt", "Minha encomenda ainda não chegou, o que aconteceu?"),
            ("ru", "Где мой заказ? Он до сих пор не пришёл"),
            ("tr", "Siparişim hala gelmedi, ne zaman gelecek?"),
            ("uk", "Де моє замовлення? Воно досі не прийшло"),
            ("zh", "我的订单还没有到"),
        ] {
            assert_eq!(language_of(text), Some(tag), "{text}");
        }
    }

    #[test]
    fn a_language_that_we_have_no_words_in_is_not_taken_for_its_neighbour() {
        for text in [
            "Jag skulle vilja prata med en människa tack",
            "Min ordre er ikke kommet frem ennå",
            "Tilaukseni ei ole vielä saapunut",
            "Hol van a rendelésem, még nem érkezett meg",
            "Comanda mea nu a ajuns încă",
            "Kde je moje objednávka, ještě nedorazila",
            "मेरा ऑर्डर अभी तक नहीं आया",
        ] {
            assert_eq!(language_of(text), None, "{text}");
        }
    }
}
