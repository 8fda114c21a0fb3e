"""Names of parts, as the crate `libero` gives them."""

import unittest

from tiller_libero.parts import Part, parts


class Parts(unittest.TestCase):
    def test_moving_parts_are_called_in_plain_words(self):
        entry = {
            "is_fixture": True,
            "joints": ["stove_1_button", "stove_1_top_level", "odd"],
            "lit_sites": ["stove_1_burner"],
        }
        found = parts("stove_1", entry)
        self.assertEqual([part.name for part in found], ["knob", "top drawer", "odd", "burner"])
        self.assertEqual(found[1], Part("top drawer", joint="stove_1_top_level"))
        self.assertEqual(found[3], Part("burner", geom="stove_1_burner"))

    def test_an_object_is_one(self):
        self.assertEqual(parts("cup_1", {"is_fixture": False, "joints": ["cup_1_joint0"]}), [])


if __name__ == "__main__":
    unittest.main()
