"""A broken promise should show the values it was broken with."""

import pytest

pytest.register_assert_rewrite("rig.line_contract")
