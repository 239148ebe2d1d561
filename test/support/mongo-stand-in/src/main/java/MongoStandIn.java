import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.util.List;

/**
 * Serves MongoDB's wire protocol from memory, for machines where no mongod can be installed.
 *
 * <p>{@code java -jar target/mongo-stand-in.jar [PORT]} listens on 127.0.0.1 (0, the default, picks a free port) and
 * prints one line, the URI, when it is ready. SIGTERM ends it, and everything it holds is gone.
 */
public final class MongoStandIn {

    /**
     * The library reports wire version 8, and the driver refuses anything below 9. 13 is MongoDB 5.0; the commands that
     * the adapter sends are the same in both.
     */
    private static final MongoVersion MONGO_5_0 =
            new MongoVersion() {
                @Override
                public List<Integer> getVersionArray() {
                    return List.of(5, 0, 0);
                }

                @Override
                public int getWireVersion() {
                    return 13;
                }
            };

    public static void main(String[] args) {
        // With more threads, one would change a document that another is still writing to its response: two callers of
        // findAndModify would see the same document.
        System.setProperty("io.netty.eventLoopThreads", "1");
        int port = args.length > 0 ? Integer.parseInt(args[0]) : 0;
        MongoServer server = new MongoServer(new MemoryBackend().version(MONGO_5_0));
        server.bind("127.0.0.1", port);
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
        System.out.println("mongodb://127.0.0.1:" + server.getLocalAddress().getPort());
    }

    private MongoStandIn() {}
}
