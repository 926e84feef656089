// A Kafka Connect sink into ClickHouse, for bench/connect.py where ClickHouse's own connector is not at hand (it is in no package
// registry). It does what that one does per batch without its state store: JSON through Connect's converter, a batch per
// partition, one JSONEachRow insert each through ClickHouse's Java client. At least once: offsets are committed after the insert.
package marquee.bench;

import com.clickhouse.client.api.Client;
import com.clickhouse.data.ClickHouseFormat;
import com.google.gson.Gson;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.errors.RetriableException;
import org.apache.kafka.connect.sink.SinkConnector;
import org.apache.kafka.connect.sink.SinkRecord;
import org.apache.kafka.connect.sink.SinkTask;

public final class Sink extends SinkConnector {
  private Map<String, String> properties = Map.of();

  @Override
  public String version() {
    return "1";
  }

  @Override
  public void start(Map<String, String> given) {
    properties = given;
  }

  @Override
  public Class<? extends Task> taskClass() {
    return Loading.class;
  }

  @Override
  public List<Map<String, String>> taskConfigs(int most) {
    return Collections.nCopies(most, properties);
  }

  @Override
  public void stop() {}

  @Override
  public ConfigDef config() {
    return new ConfigDef();
  }

  public static final class Loading extends SinkTask {
    private final Gson gson = new Gson();
    private Client client;
    private String table;

    @Override
    public String version() {
      return "1";
    }

    @Override
    public void start(Map<String, String> properties) {
      table = properties.get("store.table");
      client = new Client.Builder()
          .addEndpoint(properties.get("store.url"))
          .setUsername(properties.get("store.user"))
          .setPassword(properties.get("store.password"))
          .setDefaultDatabase("marquee")
          .compressClientRequest(false)  // Both ends are on one machine.
          .compressServerResponse(false)
          .build();
    }

    @Override
    public void put(Collection<SinkRecord> records) {
      Map<Integer, List<SinkRecord>> partitions = new HashMap<>();
      for (SinkRecord record : records) {
        partitions.computeIfAbsent(record.kafkaPartition(), ignored -> new ArrayList<>()).add(record);
      }
      partitions.values().forEach(this::insert);
    }

    private void insert(List<SinkRecord> records) {
      StringBuilder body = new StringBuilder();
      for (SinkRecord record : records) {
        gson.toJson(record.value(), body);
        body.append('\n');
      }
      byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
      try (var done = client.insert(table, new ByteArrayInputStream(bytes), ClickHouseFormat.JSONEachRow).get()) {
        done.getWrittenRows();
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
        throw new RetriableException(error);
      } catch (ExecutionException | RuntimeException error) {
        throw new RetriableException("the insert failed", error);
      }
    }

    @Override
    public void stop() {
      if (client != null) client.close();
    }
  }
}
