"""Facts about AWS as tables: types, properties, defaults and the controls of published standards."""
