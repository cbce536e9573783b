//! Records of an older and of a newer version, and tokens that are replaced.

use super::*;
