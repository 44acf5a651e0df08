"""archiver: a company's e-mail history with its customers, encrypted and searchable."""

__version__ = "0.1.0"
