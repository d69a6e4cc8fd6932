"""Wants what is not there."""

import a_module_that_nobody_has as a_module_that_nobody_has
