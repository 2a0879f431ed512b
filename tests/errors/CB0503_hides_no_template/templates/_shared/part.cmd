echo {{ srever.name }}
