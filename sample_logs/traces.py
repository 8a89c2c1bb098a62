"""Java stack traces, as logback prints them below a record."""

from __future__ import annotations

PSP_FAILURES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "timeout",
        (
            "java.net.SocketTimeoutException: Read timed out",
            "\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278)",
            "\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:304)",
            "\tat java.base/java.net.Socket$SocketInputStream.read(Socket.java:1099)",
            "\tat okhttp3.internal.http1.Http1ExchangeCodec.readResponseHeaders(Http1ExchangeCodec.kt:180)",
            "\tat shop.payments.PspClient.post(PspClient.java:88)",
            "\tat shop.payments.ChargeService.charge(ChargeService.java:141)",
            "\t... 31 common frames omitted",
        ),
    ),
    (
        "http_503",
        (
            "shop.payments.PspUnavailableException: the payment provider answered 503 Service Unavailable",
            "\tat shop.payments.PspClient.check(PspClient.java:117)",
            "\tat shop.payments.PspClient.post(PspClient.java:93)",
            "\tat shop.payments.ChargeService.charge(ChargeService.java:141)",
            "\tat shop.payments.ChargeController.create(ChargeController.java:57)",
            "\t... 27 common frames omitted",
        ),
    ),
    (
        "connection_reset",
        (
            "shop.payments.PspException: call failed",
            "\tat shop.payments.PspClient.post(PspClient.java:101)",
            "\tat shop.payments.ChargeService.charge(ChargeService.java:141)",
            "\tat shop.payments.ChargeController.create(ChargeController.java:57)",
            "Caused by: java.net.SocketException: Connection reset",
            "\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)",
            "\tat okio.InputStreamSource.read(JvmOkio.kt:93)",
            "\t... 34 common frames omitted",
        ),
    ),
)
"""What a failed call to the PSP meets, with the lines below its record."""

LEDGER_EXPORT: tuple[str, ...] = (
    "java.io.IOException: No space left on device",
    "\tat java.base/sun.nio.ch.FileDispatcherImpl.write0(Native Method)",
    "\tat java.base/sun.nio.ch.FileChannelImpl.write(FileChannelImpl.java:288)",
    "\tat shop.payments.LedgerExport.flush(LedgerExport.java:64)",
    "\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)",
    "\tat java.base/java.lang.Thread.run(Thread.java:1583)",
)
"""An error that has nothing to do with any order."""
