-- Certificates that were got by ACME, for all gateways: one line for each issuer, which is named as its folder is.
-- Both texts are PEM; `certificate` holds the private key before its chain.
CREATE TABLE certificates (
    issuer      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_key BYTEA,
    certificate BYTEA
);

-- What an issuer must read at a token while an order is under way, whichever gateway it asks.
CREATE TABLE certificate_answers (
    issuer TEXT COLLATE "C" NOT NULL,
    token  TEXT COLLATE "C" NOT NULL,
    answer TEXT             NOT NULL,
    PRIMARY KEY (issuer, token)
);
