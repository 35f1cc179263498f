/* Kinds of secrets: payments, shops and what holds coins. See secret-rule.h. */
#include "intel/secret-rule.h"

static const struct secret_rule rules[] = {
        SECRET_TOKEN("stripe-secret-key", "Stripe secret key", CRITICAL, "sk_live_", "sk_live_[A-Za-z0-9]{24,247}"),
        SECRET_TOKEN("stripe-restricted-key", "Stripe restricted key", HIGH, "rk_live_", "rk_live_[A-Za-z0-9]{24,247}"),
        SECRET_TOKEN("stripe-test-key", "Stripe test key", LOW, "sk_test_|rk_test_", "[sr]k_test_[A-Za-z0-9]{24,247}"),
        SECRET_TOKEN("stripe-webhook-secret", "Stripe webhook signing secret", MEDIUM, "whsec_", "whsec_[A-Za-z0-9+/=]{32,64}"),
        SECRET_TOKEN("square-access-token", "Square access token", CRITICAL, "sq0atp-", "sq0atp-" S_URL "{22}"),
        SECRET_TOKEN("square-oauth-secret", "Square OAuth secret", HIGH, "sq0csp-", "sq0csp-" S_URL "{43}"),
        SECRET_TOKEN("square-access-token-new", "Square access token", CRITICAL, "EAAAE|EAAAF|EAAAl", "EAAA[EFl][A-Za-z0-9_-]{59}"),
        SECRET_TOKEN("paypal-access-token", "PayPal Braintree access token", CRITICAL, "access_token$production$", "access_token\\$production\\$[a-z0-9]{16}\\$" S_HEX "{32}"),
        SECRET_NAMED("paypal-secret", "PayPal client secret", HIGH, "paypal_client_secret|paypal_secret|paypalsecret", "E[A-Za-z0-9_-]{79}"),
        SECRET_TOKEN("adyen-key", "Adyen API key", HIGH, "AQE", "AQE[a-z][A-Za-z0-9+/=-]{100,300}"),
        SECRET_TOKEN("shopify-access-token", "Shopify access token", HIGH, "shpat_|shpca_|shppa_", "shp(?:at|ca|pa)_[a-fA-F0-9]{32}"),
        SECRET_TOKEN("shopify-shared-secret", "Shopify shared secret", HIGH, "shpss_", "shpss_[a-fA-F0-9]{32}"),
        SECRET_NAMED("plaid-secret", "Plaid secret", HIGH, "plaid_secret|plaidsecret|plaid", S_HEX "{30}"),
        SECRET_TOKEN("plaid-access-token", "Plaid access token", HIGH, "access-production-|access-sandbox-", "access-(?:production|sandbox)-" S_UUID),
        SECRET_TOKEN("razorpay-key-id", "Razorpay live key id", MEDIUM, "rzp_live_", "rzp_live_[A-Za-z0-9]{14}"),
        SECRET_TOKEN("flutterwave-key", "Flutterwave secret key", HIGH, "FLWSECK-", "FLWSECK-[a-z0-9]{32}-(?:[A-Za-z0-9]{11})?X"),
        SECRET_TOKEN("mercadopago-token", "Mercado Pago access token", HIGH, "APP_USR-", "APP_USR-[0-9]{10,20}-[0-9]{6}-" S_HEX "{32}-[0-9]{6,12}"),
        SECRET_NAMED("coinbase-secret", "Coinbase secret", HIGH, "coinbase", "[A-Za-z0-9]{32}(?:[A-Za-z0-9+/]{54}==)?"),
        SECRET_NAMED("binance-secret", "Binance secret", HIGH, "binance", S_B62 "{64}"),
        SECRET_TOKEN("lob-key", "Lob API key", HIGH, "live_", "live_" S_HEX "{35}"),
        SECRET_TOKEN("easypost-key", "EasyPost API key", HIGH, "EZAK", "EZAK[A-Za-z0-9]{54}"),
        SECRET_TOKEN("shippo-token", "Shippo live token", HIGH, "shippo_live_", "shippo_live_" S_HEX "{40}"),
        SECRET_TOKEN("duffel-token", "Duffel access token", HIGH, "duffel_live_", "duffel_live_" S_URL "{43}"),
        SECRET_NAMED("gocardless-token", "GoCardless access token", HIGH, "gocardless", "live_" S_URL "{40}"),
        SECRET_PROVEN("bip32-private-key", "Extended private key of a wallet", CRITICAL, "xprv9", "xprv9[1-9A-HJ-NP-Za-km-z]{106}", secret_check_base58),
        SECRET_NAMED("ethereum-private-key", "Ethereum private key", HIGH, "private_key|privatekey|deployer_key|wallet_key", "0x[0-9a-fA-F]{64}"),
        SECRET_NAMED("infura-secret", "Infura key", MEDIUM, "infura", S_HEX "{32}"),
        SECRET_NAMED("alchemy-key", "Alchemy API key", MEDIUM, "alchemy", S_URL "{32}"),
        SECRET_NAMED("etherscan-key", "Etherscan API key", LOW, "etherscan", "[A-Z0-9]{34}"),
};

const struct secret_table secret_rules_money = { rules, ARRAY_SIZE(rules) };
