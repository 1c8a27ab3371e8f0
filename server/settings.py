"""Django's settings, made from server.toml."""

from pathlib import Path

from csp.constants import NONE, SELF

from server import config as configuration

CONFIG = configuration.load()
BASE = Path(__file__).parent

SECRET_KEY = configuration.secret(CONFIG)
DEBUG = False
ALLOWED_HOSTS = [CONFIG.host, "localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "server.urls"
SAYS_ONLY_HERE = True
"""Whether pages with codes say that their address leads nobody but this machine here."""
WSGI_APPLICATION = "server.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": dict(configuration.database(CONFIG))}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_htmx",
    "server.accounts",
    "server.registry",
    "server.feed",
    "server.facts",
    "server.office",
    "server.reports",
    "server.phones",
    "server.publication",
    "server.watch",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "server.errors.in_words",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE / "templates"],
        "OPTIONS": {"environment": "server.pages.environment", "trim_blocks": True, "lstrip_blocks": True},
    }
]

# --- who may come in ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["username", "name"]},
    },
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
# Counted by name, or by a browser that was signed in with before: no address of anybody is looked at.
AXES_USERNAME_CALLABLE = "server.accounts.devices.counted_as"
AXES_CACHE = "sign-in"
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # it asks for addresses in the lock-out
AXES_HANDLER = "axes.handlers.cache.AxesCacheHandler"
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_LOCKOUT_CALLABLE = "server.accounts.views.locked"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_ENABLE_ACCESS_FAILURE_LOG = False

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CONFIG.secure
CSRF_FAILURE_VIEW = "server.errors.stale"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS = [CONFIG.url]
SECURE_HSTS_SECONDS = 365 * 86400 if CONFIG.secure else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CONFIG.behind_proxy else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "script-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# --- words, times, files --------------------------------------------------------------------------------------

USE_I18N = False  # sentences are in server/lang, as everywhere in this product
LANGUAGE_CODE = "vi"
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True
STATIC_URL = "/static/"
_KIOSK = BASE.parent / "kiosk"
STATICFILES_DIRS = [
    BASE / "static",
    ("console", _KIOSK / "console" / "static"),
    ("fonts", _KIOSK / "assets" / "fonts"),
    ("phone", _KIOSK / "public" / "static"),
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

CACHES = {
    # Pages and lines of a whole province at once: with the usual 300, strangers' requests would push them out.
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}},
    # Whole pages, each for seconds: their own, so that those of yesterday's slips neither stay nor push others out.
    "phones": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "phones",
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
    # In the database, so that a restart does not forget who tried too often.
    "sign-in": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "sign_in_tries",
        # With the usual 300, a few hundred invented names would push out the counts of the real ones.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# --- mail and log ---------------------------------------------------------------------------------------------

EMAIL_HOST, EMAIL_PORT = CONFIG.mail.host, CONFIG.mail.port
EMAIL_HOST_USER, EMAIL_USE_TLS = CONFIG.mail.user, CONFIG.mail.tls
EMAIL_HOST_PASSWORD = Path(CONFIG.mail.password_file).read_text().strip() if CONFIG.mail.password_file else ""
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = CONFIG.mail.sender

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": CONFIG.log_level.upper()},
    "loggers": {
        "axes": {"level": "ERROR"},  # it would write names
        "django.request": {"level": "ERROR"},  # it would write the codes of slips that are not known yet
        "waitress": {"level": "ERROR"},
    },
}
