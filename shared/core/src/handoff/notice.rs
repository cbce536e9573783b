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
/// Short words are guessed badly ("ok" is taken for Hungarian), so under 20 letters nothing is said.
#[must_use]
pub fn language_of(text: &str) -> Option<&'static str> {
    if text.chars().filter(|c| c.is_alphabetic()).count() < 20 {
        return None;
    }
    let info = whatlang::detect(text).filter(whatlang::Info::is_reliable)?;
    two_letters(info.lang())
}

fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    let known = [
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
    ];
    known.iter().find(|(known, _)| *known == lang).map(|(_, tag)| *tag)
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
        assert_eq!(
            language_of("Meine Bestellung ist immer noch nicht angekommen, was ist da los?"),
            Some("de")
        );
    }
}
