import com.eatthepath.pushy.apns.ApnsClient;
import com.eatthepath.pushy.apns.ApnsClientBuilder;
import com.eatthepath.pushy.apns.DeliveryPriority;
import com.eatthepath.pushy.apns.PushType;
import com.eatthepath.pushy.apns.util.SimpleApnsPushNotification;
import com.sun.management.OperatingSystemMXBean;
import io.netty.handler.ssl.OpenSsl;
import java.io.File;
import java.io.FileInputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Peer: Pushy, with a window of pushes in flight as its documentation asks. Flags and result are those of peers/load.ts. */
public final class Main {
  private static final String TOPIC = "pass.example.stampede";
  /** Without any outcome for so long, what is still open counts as hung. */
  private static final int STUCK_AFTER_SECONDS = 20;

  private static final String prefix = prefix();

  public static void main(String[] arguments) throws Exception {
    Map<String, String> flags = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) flags.put(arguments[i].substring(2), arguments[i + 1]);
    int connections = Integer.parseInt(flags.get("connections"));
    int window = connections * Integer.parseInt(flags.get("streams"));
    int warmup = Integer.parseInt(flags.get("warmup"));
    int pushes = Integer.parseInt(flags.get("pushes"));

    ApnsClient client =
        new ApnsClientBuilder()
            .setApnsServer("localhost", Integer.parseInt(flags.get("port")))
            .setTrustedServerCertificateChain(new File(flags.get("authority")))
            .setClientCredentials(certificate(flags.get("cert")), key(flags.get("key")), null)
            .setConcurrentConnections(connections)
            .build();
    send(client, window, 0, warmup);
    OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    long cpuBefore = system.getProcessCpuTime();
    long startedAt = System.nanoTime();
    long[] tally = send(client, window, warmup, pushes);
    double seconds = (System.nanoTime() - startedAt) / 1e9;
    double cpuSeconds = (system.getProcessCpuTime() - cpuBefore) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "{\"pushes\":%d,\"seconds\":%f,\"cpuSeconds\":%f,\"rssMb\":%f,\"ok\":%d,\"failed\":%d,\"hung\":%d,\"note\":\"%s\"}%n",
        pushes, seconds, cpuSeconds, rssMb(), tally[0], tally[1], pushes - tally[0] - tally[1],
        OpenSsl.isAvailable() ? "native TLS" : "JDK TLS");
    Runtime.getRuntime().halt(0);
  }

  /** Keeps {@code window} pushes in flight; returns how many were accepted and how many failed. */
  private static long[] send(ApnsClient client, int window, int first, int count) throws InterruptedException {
    Semaphore free = new Semaphore(window);
    LongAdder ok = new LongAdder();
    LongAdder failed = new LongAdder();
    for (int i = 0; i < count; i++) {
      if (!free.tryAcquire(STUCK_AFTER_SECONDS, TimeUnit.SECONDS)) break;
      var notification =
          new SimpleApnsPushNotification(
              token(first + i), TOPIC, "{}", null, DeliveryPriority.CONSERVE_POWER, PushType.BACKGROUND);
      client
          .sendNotification(notification)
          .whenComplete(
              (response, error) -> {
                if (error == null && response.isAccepted() && response.getApnsId() != null) ok.increment();
                else failed.increment();
                free.release();
              });
    }
    free.tryAcquire(window, STUCK_AFTER_SECONDS, TimeUnit.SECONDS);
    return new long[] {ok.sum(), failed.sum()};
  }

  private static String prefix() {
    byte[] random = new byte[24];
    new SecureRandom().nextBytes(random);
    return HexFormat.of().formatHex(random);
  }

  private static String token(int index) {
    return prefix + HexFormat.of().toHexDigits((long) index);
  }

  private static X509Certificate certificate(String file) throws Exception {
    try (FileInputStream in = new FileInputStream(file)) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  private static PrivateKey key(String file) throws Exception {
    String text = Files.readString(Path.of(file)).replaceAll("-----[A-Z ]+-----|\\s", "");
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text)));
  }

  private static double rssMb() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Double.parseDouble(line.replaceAll("\\D", "")) / 1024;
    return 0;
  }
}
