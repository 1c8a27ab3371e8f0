"""Forms whose labels, hints and complaints are keys of the language files; templates/parts/fields.html shows them."""

from django import forms

from kiosk.public.form import clean
from kiosk.texts import Texts


class Form(forms.Form):
    """A form: `label` and `help_text` of a field are keys, and what is wrong is a key under [field] by its code."""

    def wrong(self, t: Texts, name: str) -> list[str]:
        """What is wrong with a field, in the reader's language."""
        found = self.errors.as_data().get(name, []) if self.is_bound else []
        return [
            t(f"field.{error.code}", **{key: str(value) for key, value in (error.params or {}).items()})
            for error in found
        ]

    def refuse(self, name: str, code: str, **values: object) -> None:
        """Say that a field is wrong for a reason that only the view knows."""
        self.add_error(name, forms.ValidationError("", code, values))

    def text(self, name: str) -> str:
        """What a field of text holds, after the form was found valid; without letters that nobody sees."""
        return clean(str(self.cleaned_data[name]))
