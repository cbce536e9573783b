//! WhatsApp, Creatio and the model: how each speaks, one folder each.
