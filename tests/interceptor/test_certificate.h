// A key and a certificate for tests of TLS: signed by itself, for "shop.test",
// good for a hundred years and for nothing else. Made with
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes
//       -days 36500 -subj /CN=shop.test -addext subjectAltName=DNS:shop.test
#ifndef AUTOBREAKER_TESTS_INTERCEPTOR_TEST_CERTIFICATE_H_
#define AUTOBREAKER_TESTS_INTERCEPTOR_TEST_CERTIFICATE_H_

namespace autobreaker {

inline constexpr char kTestHostName[] = "shop.test";

inline constexpr char kTestKey[] =
    R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPcuzHMGr0MH7u3dv
TiDFuQlCM3cwapjxIvVecpsiMYChRANCAARrQJuIVBPOS34Qh72M4Uu8l1u1z2S5
v8SYK1Hcl6zybKxUJZj7tkiIf2TzL7VR6E10oisM/wsOc+m3+eA8w/rr
-----END PRIVATE KEY-----
)";

inline constexpr char kTestCertificate[] =
    R"(-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUDUe3xFoyrkOdY1HV5x8GqrlgEJwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJc2hvcC50ZXN0MCAXDTI2MTEyMzA2NDAwOFoYDzIxMjYxMDMw
MDY0MDA4WjAUMRIwEAYDVQQDDAlzaG9wLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARrQJuIVBPOS34Qh72M4Uu8l1u1z2S5v8SYK1Hcl6zybKxUJZj7tkiI
f2TzL7VR6E10oisM/wsOc+m3+eA8w/rro2kwZzAdBgNVHQ4EFgQUiZFCxtTKTNoP
l5i09BVqBiG3FtAwHwYDVR0jBBgwFoAUiZFCxtTKTNoPl5i09BVqBiG3FtAwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglzaG9wLnRlc3QwCgYIKoZIzj0EAwID
SAAwRQIgUBkqk1WLgvhVJ2Rcln13iuwbkMUEGzKYUWBQQG4djz8CIQDRDsLu5c4Q
hK0c0JN6rqVA64fenHkD+X6XEWDee04eVg==
-----END CERTIFICATE-----
)";

}  // namespace autobreaker

#endif  // AUTOBREAKER_TESTS_INTERCEPTOR_TEST_CERTIFICATE_H_
