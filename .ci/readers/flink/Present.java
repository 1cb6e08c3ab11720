import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.CloseableIterator;

/**
 * Runs a query of Flink over a changelog until its end, and prints the rows that
 * are there then, each as a JSON object.
 *
 * <p>Present.java DDL-FILE TABLE KEY [CONDITION]: creates the table by the file,
 * reads what its topic holds now (less the rows that a WHERE CONDITION drops),
 * and applies insertions, updates and deletions by the column KEY.
 */
final class Present {
    public static void main(String[] args) throws Exception {
        String ddl = Files.readString(Path.of(args[0])), table = args[1], key = args[2];
        Configuration config = new Configuration();
        config.setString("parallelism.default", "2");
        // JSON has no zone of its own, so that rows can be compared in one.
        config.setString("table.local-time-zone", "UTC");
        TableEnvironment env = TableEnvironment.create(
                EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(config).build());
        env.executeSql(ddl);
        String columns = env.from(table).getResolvedSchema().getColumnNames().stream()
                .map(name -> "'" + name + "' VALUE `" + name + "`").collect(Collectors.joining(", "));
        String query = "SELECT `" + key + "`, JSON_OBJECT(" + columns + ") FROM `" + table
                + "` /*+ OPTIONS('scan.bounded.mode' = 'latest-offset') */" + (args.length > 3 ? " WHERE " + args[3] : "");
        Map<Object, Object> present = new LinkedHashMap<>();
        try (CloseableIterator<Row> changes = env.executeSql(query).collect()) {
            while (changes.hasNext()) {
                Row row = changes.next();
                if (row.getKind() == RowKind.DELETE) {
                    present.remove(row.getField(0));
                } else if (row.getKind() != RowKind.UPDATE_BEFORE) { // which an update follows
                    present.put(row.getField(0), row.getField(1));
                }
            }
        }
        present.values().forEach(System.out::println);
    }
}
